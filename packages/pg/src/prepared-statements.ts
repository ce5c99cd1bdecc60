import { hash } from "node:crypto";
import type { Statement, StatementFacts } from "@mirrorpool/core";
import { CUSTOM_RUNS, type KeptPlan, type PlanWatch } from "./plan-watch.ts";

/** How statements are prepared by their text. */
export interface PreparedStatementOptions {
  /** The use of a text, on one connection, from which on it is prepared. From 1 to 1000, default 5. */
  readonly after?: number;
  /** Statements that a connection keeps prepared; the one not used for longest is closed. From 1 to 10 000, default 100. */
  readonly max?: number;
}

/** A statement that is, or is now to be, prepared. */
export interface Preparation {
  readonly name: string;
  /** What is known of the plan that the server keeps for it. */
  readonly plan: KeptPlan;
  /** How often it was run since it was prepared. */
  runs: number;
  /** It was used since it was last looked at for closing. */
  wasUsed: boolean;
  /** Names to be closed before another one is prepared. */
  takeClosing(): readonly string[];
}

/** What can be planned. Utility statements are run as they are each time. */
const PLANNED: ReadonlySet<string> = new Set([
  "SELECT",
  "INSERT",
  "UPDATE",
  "DELETE",
  "MERGE",
  "VALUES",
  "WITH",
  "TABLE",
]);
/** Longer texts are not kept: mostly they hold their values, and are used once. */
const MAX_CHARACTERS = 16_384;
/** Literals of a statement are read when it is prepared, by these settings; the server reports each change of them. */
const LITERAL_SETTINGS: ReadonlySet<string> = new Set([
  "DateStyle",
  "IntervalStyle",
  "TimeZone",
  "client_encoding",
  "standard_conforming_strings",
]);
/** After a command that begins so, a name in a text may mean something else, or its rows may have other columns. */
const REDEFINES = /^(?:CREATE|ALTER|DROP)\b/;
/** Statements that vanish so often vanish because somebody changes the server's session behind our back: a pooler. */
const MAX_VANISHED = 3;

const NEVER = Number.NEGATIVE_INFINITY;

/**
 * Which statements of one connection are prepared: those that are used again and again, by their text. Bounded. `pg` keeps the
 * record of what the server has; this says what shall be there.
 */
export class PreparedStatements {
  readonly #after: number;
  readonly #max: number;
  readonly #inspect: (text: string) => StatementFacts;
  readonly #watch: PlanWatch;
  readonly #random: () => number;
  /** `pg`'s record, by name. */
  readonly #parsed: Record<string, string>;
  /** Uses by text, of what is not prepared; least recently used first. */
  #uses = new Map<string, number>();
  /** By text, those first that are to be looked at first when one has to be closed. */
  #prepared = new Map<string, Preparation>();
  #closing = new Set<string>();
  #vanished = 0;

  constructor(
    { after, max }: Required<PreparedStatementOptions>,
    inspect: (text: string) => StatementFacts,
    parsed: Record<string, string>,
    watch: PlanWatch,
    random: () => number = Math.random,
  ) {
    this.#after = after;
    this.#max = max;
    this.#inspect = inspect;
    this.#parsed = parsed;
    this.#watch = watch;
    this.#random = random;
  }

  /** Counts a use. @returns how to send it; undefined as it is */
  use(statement: Statement): Preparation | undefined {
    if (this.#vanished >= MAX_VANISHED) return undefined;
    const { text } = statement;
    const preparation = this.#prepared.get(text);
    if (preparation === undefined && text.length > MAX_CHARACTERS) return undefined;
    if (saysHow(statement)) return undefined;
    if (preparation === undefined) return this.#count(text) >= this.#after ? this.#prepare(text) : undefined;
    const { plan } = preparation;
    if (plan.isSlower) {
      this.#prepared.delete(text);
      this.forget(preparation);
      this.#uses.set(text, NEVER);
      return undefined;
    }
    preparation.wasUsed = true;
    // by chance, since the values of the application may come in turn as well
    return plan.isOnTrial && preparation.runs > CUSTOM_RUNS && this.#random() < 0.5 ? undefined : preparation;
  }

  /** It was answered. @param preparation how it was sent. @param ms until the server was ready for the next statement */
  noteRun(text: string, preparation: Preparation | undefined, ms: number): void {
    if (preparation === undefined) {
      this.#prepared.get(text)?.plan.note("plain", ms);
      return;
    }
    preparation.runs += 1;
    if (preparation.runs > CUSTOM_RUNS) preparation.plan.note("prepared", ms);
  }

  /** Whether the server should have it already. */
  isParsed({ name }: Preparation): boolean {
    return this.#parsed[name] !== undefined;
  }

  /** What became of it at the server is not known: it is closed and prepared anew when it is used again. */
  forget(preparation: Preparation): void {
    const { name } = preparation;
    delete this.#parsed[name];
    this.#closing.add(name);
    preparation.runs = 0;
  }

  /** The server did not have what it should have had, or had what it should not. */
  noteVanished(): void {
    this.#vanished += 1;
  }

  noteCommand(command: string): void {
    if (this.#prepared.size > 0 && REDEFINES.test(command)) this.#forgetAll();
  }

  noteSetting(name: string): void {
    if (LITERAL_SETTINGS.has(name)) this.#forgetAll();
  }

  #forgetAll(): void {
    for (const preparation of this.#prepared.values()) this.forget(preparation);
    this.#prepared.clear();
    this.#uses.clear();
  }

  #count(text: string): number {
    const uses = (this.#uses.get(text) ?? (this.#isPlanned(text) ? 0 : NEVER)) + 1;
    this.#uses.delete(text);
    this.#uses.set(text, uses);
    if (this.#uses.size > this.#max) this.#uses.delete(oldest(this.#uses));
    return uses;
  }

  #isPlanned(text: string): boolean {
    const { command, multiple, stream, transaction } = this.#inspect(text);
    return PLANNED.has(command) && !multiple && !stream && transaction === "none";
  }

  #prepare(text: string): Preparation | undefined {
    const plan = this.#watch.planOf(text);
    if (plan.isSlower) {
      this.#uses.set(text, NEVER);
      return undefined;
    }
    this.#uses.delete(text);
    if (this.#prepared.size >= this.#max) this.#closeOne();
    // by its text: where a pooler mixes the sessions of several clients, a name means the same to all of them
    const name = `mirrorpool_${hash("sha256", text, "base64url")}`;
    const preparation: Preparation = { name, plan, runs: 0, wasUsed: false, takeClosing: this.#takeClosing };
    this.#prepared.set(text, preparation);
    return preparation;
  }

  /** Who was used since the last look is passed over once: as good as the exact order, which every use would have to keep. */
  #closeOne(): void {
    for (const [text, preparation] of this.#prepared) {
      this.#prepared.delete(text);
      if (!preparation.wasUsed) {
        this.forget(preparation);
        return;
      }
      preparation.wasUsed = false;
      this.#prepared.set(text, preparation);
    }
  }

  readonly #takeClosing = (): readonly string[] => {
    if (this.#closing.size === 0) return [];
    const names = [...this.#closing];
    this.#closing = new Set();
    return names;
  };
}

/** The statement says for itself how it is to be sent. */
function saysHow({ name, channel, rows, portal, queryMode, types }: Statement): boolean {
  const isSaid = name ?? channel ?? rows ?? portal ?? queryMode;
  return isSaid !== undefined || Array.isArray(types); // of its parameters
}

function oldest(map: ReadonlyMap<string, unknown>): string {
  for (const text of map.keys()) return text;
  return "";
}
