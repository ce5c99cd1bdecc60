import { type FailoverPool, type PoolSource, type ReservedConnection, ReservedLostError } from "@mirrorpool/core";
import { copyOut } from "@mirrorpool/pg";
import type { FromCatalogue, SourceView, Wanted } from "../dialect.ts";
import { BackupError } from "../errors.ts";
import type { FileFormat } from "../format/file.ts";
import type { Manifest, SourcePosition } from "../format/manifest.ts";
import type { PlannedTable } from "../run/unfinished.ts";
import type { SchemaChoice } from "../schema-choice.ts";
import { RowContent } from "../stream/row-content.ts";
import { SpareBatches } from "../stream/spare-batches.ts";
import { codeOf } from "./code-of.ts";
import { copyOutStatement } from "./copy-statement.ts";
import { makePlan } from "./make-plan.ts";
import type { PageRange } from "./plan.ts";
import { quoteTable } from "./quote.ts";
import { SharedSnapshot, saysGone } from "./snapshot.ts";
import { Unframer } from "./unframer.ts";
import { writeSchema } from "./write-schema.ts";

/** What says that a chunk may be read again in the same snapshot, on another connection. */
const PASSING = new Set([
  "40001", // a mirror cannot replay and answer at the same time
  "55P03", // somebody waits for the table, and we must not wait behind him
]);

/** What a snapshot sees, and the connections in it that read nothing at the moment. */
export class PostgresView implements SourceView {
  readonly #snapshot: SharedSnapshot;
  readonly #idle: ReservedConnection[] = [];
  readonly #spare = new SpareBatches();

  private constructor(snapshot: SharedSnapshot) {
    this.#snapshot = snapshot;
  }

  static async open(
    pool: FailoverPool,
    from: "mirror" | "primary",
    signal: AbortSignal | undefined,
  ): Promise<PostgresView> {
    return new PostgresView(await SharedSnapshot.take(pool, from, signal));
  }

  get source(): SourcePosition {
    return this.#snapshot.source;
  }

  plan(wanted: Wanted): Promise<FromCatalogue> {
    return makePlan(this.#snapshot, wanted);
  }

  writeSchema(
    source: PoolSource,
    choice: SchemaChoice,
    format: FileFormat,
    signal: AbortSignal | undefined,
  ): Promise<Manifest["schema"]> {
    return writeSchema(source, choice, this.#snapshot, format, signal);
  }

  async take(signal: AbortSignal): Promise<ReservedConnection> {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) if (idle.isOpen) return idle;
    try {
      return await this.#snapshot.join(signal);
    } catch (error) {
      signal.throwIfAborted();
      const isGone = error instanceof ReservedLostError || saysGone(error) || codeOf(error) === "NO_NODE";
      if (!isGone) throw error;
      throw new BackupError("SOURCE_LOST", `the snapshot on ${this.source.node} is gone`, {
        cause: error,
        retryable: true,
      });
    }
  }

  giveBack(connection: ReservedConnection): void {
    this.#idle.push(connection);
  }

  drop(connection: ReservedConnection): void {
    this.#snapshot.leave(connection);
  }

  async read(
    connection: ReservedConnection,
    table: PlannedTable,
    part: unknown,
    signal: AbortSignal,
  ): Promise<RowContent> {
    // not waited for: behind whoever waits for an exclusive lock we would wait for ever
    await connection.query(`LOCK TABLE ONLY ${quoteTable(table)} IN ACCESS SHARE MODE NOWAIT`);
    const text = copyOutStatement(table, part as PageRange | undefined); // of our own plan
    return new RowContent(copyOut(connection, text), (give, fresh) => new Unframer(give, fresh), signal, this.#spare);
  }

  isPassing(error: unknown): boolean {
    return PASSING.has(codeOf(error));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#snapshot[Symbol.asyncDispose]();
  }
}
