import type { Statement, StatementFacts } from "../driver.ts";
import type { Digest } from "./digest.ts";

/** One statement of a transaction and what the application was answered. */
export interface RecordedStatement {
  readonly statement: Statement;
  readonly facts: StatementFacts;
  readonly digest: Digest;
}

export interface RecordingLimits {
  readonly maxStatements: number;
  readonly maxBytes: number;
}

/** A statement's own overhead besides its text and values: an estimate, so that many small ones count as well. */
const OVERHEAD_BYTES = 200;

/**
 * The statements of an open transaction, so that it can be run again on another node. Bounded; once it cannot be replayed
 * any more it forgets everything and remembers why, which matters only if the transaction is lost.
 */
export class Recording {
  readonly #limits: RecordingLimits;
  #statements: RecordedStatement[] = [];
  #bytes = 0;
  #obstacle: string | undefined;

  constructor(limits: RecordingLimits) {
    this.#limits = limits;
  }

  get statements(): readonly RecordedStatement[] {
    return this.#statements;
  }

  /** Why the transaction cannot be replayed; undefined while it can. */
  get obstacle(): string | undefined {
    return this.#obstacle;
  }

  /** @param digest computed only while the transaction can be replayed */
  add(statement: Statement, facts: StatementFacts, digest: () => Digest): void {
    if (this.#obstacle !== undefined) return;
    this.#bytes += OVERHEAD_BYTES + estimateBytes(statement);
    const obstacle = this.#obstacleOf(facts);
    if (obstacle !== undefined) {
      this.giveUp(obstacle);
      return;
    }
    try {
      this.#statements.push({ statement, facts, digest: digest() });
    } catch {
      // the statement itself has succeeded
      this.giveUp(`the answer of ${facts.command} cannot be compared with another one`);
    }
  }

  /** From now on the transaction cannot be replayed, for this reason. */
  giveUp(obstacle: string): void {
    this.#obstacle = obstacle;
    this.#statements = [];
  }

  #obstacleOf(facts: StatementFacts): string | undefined {
    const { maxStatements, maxBytes } = this.#limits;
    if (facts.stream) return handsOutRows(facts);
    if (facts.session === "pinned") return `${facts.command} makes state that cannot move to another node`;
    if (facts.transaction === "mixed") return "a text with several statements controls transactions";
    if (this.#statements.length >= maxStatements) return `it has more than ${maxStatements} statements`;
    if (this.#bytes > maxBytes) return `its statements take more than ${maxBytes} bytes`;
    return undefined;
  }
}

/** The obstacle of a stream or cursor. */
export function handsOutRows({ command }: StatementFacts): string {
  return `${command} hands out rows that cannot be handed out again`;
}

function estimateBytes({ text, values = [] }: Statement): number {
  let bytes = text.length;
  for (const value of values) {
    if (typeof value === "string") bytes += value.length;
    else if (value instanceof Uint8Array) bytes += value.byteLength;
    else if (typeof value === "object" && value !== null) bytes += estimateObject(value);
    else bytes += 8;
  }
  return bytes;
}

function estimateObject(value: object): number {
  try {
    return JSON.stringify(value)?.length ?? 0;
  } catch {
    // the database library may know what to make of it: the statement was answered
    return OVERHEAD_BYTES * (Array.isArray(value) ? value.length : 1);
  }
}
