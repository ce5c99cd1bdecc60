import { type FailoverPool, OptionsError, type PoolSource, type ReservedConnection } from "@mirrorpool/core";
import { type Dialect, isPassing, type Range, type Table, type View, ViewLost } from "@mirrorpool/sync/for-other-jobs";
import type { FromCatalogue, SourceView, Wanted } from "../dialect.ts";
import { BackupError } from "../errors.ts";
import type { FileFormat } from "../format/file.ts";
import type { Manifest, SourcePosition } from "../format/manifest.ts";
import type { PlannedTable } from "../run/unfinished.ts";
import type { SchemaChoice } from "../schema-choice.ts";
import { RowContent } from "../stream/row-content.ts";
import { SpareBatches } from "../stream/spare-batches.ts";
import { Batches } from "./batches.ts";
import { makePlan, modelOf } from "./make-plan.ts";
import { type Flavor, lookBefore, placeOf } from "./position.ts";
import { supported } from "./supported.ts";
import { writeSchema } from "./write-schema.ts";

/** So often another node is chosen while a view is opened, until where it stands is not asked for any more. */
const TRIES = 5;

/** A view of sync's, and those of its connections that read nothing at the moment. */
export class MysqlView implements SourceView {
  readonly source: SourcePosition;
  readonly #dialect: Dialect;
  readonly #view: View;
  readonly #idle: ReservedConnection[] = [];
  readonly #spare = new SpareBatches();
  readonly #busy = new Set<ReservedConnection>();
  /** Woken when a connection is given back or dropped. */
  readonly #waiting = new Set<() => void>();

  private constructor(dialect: Dialect, view: View, source: SourcePosition) {
    this.#dialect = dialect;
    this.#view = view;
    this.source = source;
  }

  static async open(
    dialect: Dialect,
    flavor: Flavor,
    pool: FailoverPool,
    from: "mirror" | "primary",
    jobs: number,
    given: AbortSignal | undefined,
  ): Promise<MysqlView> {
    const signal = given ?? new AbortController().signal;
    for (let tries = 1; ; tries += 1) {
      const before = await supported(() => lookBefore(pool, from, flavor, signal));
      const view = await supported(() => dialect.openView(pool, from, jobs, signal));
      try {
        if (view.node === before.node || tries >= TRIES) {
          const known = view.node === before.node ? before : { node: view.node, position: "" };
          const source = await supported(() => placeOf(pool, view.holder, flavor, known));
          return new MysqlView(dialect, view, source);
        }
      } catch (error) {
        view.close();
        throw error;
      }
      view.close();
    }
  }

  plan(wanted: Wanted): Promise<FromCatalogue> {
    if (wanted.form === "binary")
      throw new OptionsError("form", '"text" with MariaDB and MySQL', JSON.stringify(wanted.form));
    return supported(() => makePlan(this.#dialect, this.#view, this.source, wanted));
  }

  writeSchema(
    _: PoolSource,
    choice: SchemaChoice,
    format: FileFormat,
    signal: AbortSignal | undefined,
  ): Promise<Manifest["schema"]> {
    if (typeof choice === "object")
      throw new OptionsError("schema", '"auto", true or false with MariaDB and MySQL', "an object");
    return writeSchema(this.#view.holder, choice, format, signal);
  }

  /** There are no more connections than the view was opened with: where all are in use, or some are lost, one that is left is waited for. */
  async take(signal: AbortSignal): Promise<ReservedConnection> {
    for (;;) {
      signal.throwIfAborted();
      const found = this.#idle.pop() ?? (await this.#fresh(signal));
      if (found?.isOpen === true) {
        this.#busy.add(found);
        return found;
      }
      // one may have been given back meanwhile
      if (found !== undefined || this.#idle.length > 0) continue;
      if (![...this.#busy].some(({ isOpen }) => isOpen))
        throw new BackupError("SOURCE_LOST", `the view of ${this.source.node} is gone with all its connections`, {
          retryable: true,
        });
      await this.#wait(signal);
    }
  }

  async #fresh(signal: AbortSignal): Promise<ReservedConnection | undefined> {
    try {
      return await this.#view.reader(signal);
    } catch (error) {
      if (error instanceof ViewLost) return undefined;
      throw error;
    }
  }

  async #wait(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted(); // it tells that but once
    let wake = (): void => {};
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    this.#waiting.add(wake);
    signal.addEventListener("abort", wake, { once: true });
    await woken;
    signal.removeEventListener("abort", wake);
    this.#waiting.delete(wake);
  }

  giveBack(connection: ReservedConnection): void {
    this.#busy.delete(connection);
    this.#idle.push(connection);
    for (const wake of this.#waiting) wake();
  }

  drop(connection: ReservedConnection): void {
    this.#busy.delete(connection);
    connection.release();
    for (const wake of this.#waiting) wake();
  }

  async read(
    connection: ReservedConnection,
    table: PlannedTable,
    part: unknown,
    signal: AbortSignal,
  ): Promise<RowContent> {
    const model: Table = modelOf(table);
    const range = part as Range; // of our own plan
    const source = this.#dialect.source(connection, model, range, "text");
    return new RowContent(source, (give, fresh) => new Batches(give, fresh), signal, this.#spare);
  }

  isPassing(error: unknown): boolean {
    return isPassing(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#view.close();
  }
}
