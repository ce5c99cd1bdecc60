import type { FailoverPool, ReservedConnection } from "@mirrorpool/core";
import { dialectFor } from "../across/dialect-for.ts";
import type { TargetDialect } from "../dialect.ts";
import { dialectOf } from "../dialects.ts";
import { BackupError, messageOf } from "../errors.ts";
import type { KeySource } from "../format/key.ts";
import { type OpenedBackup, openBackup } from "../format/repository.ts";
import { checkKeySource, checkStore } from "../options.ts";
import type { Store } from "../store/store.ts";
import { showTable } from "../table-names.ts";
import type { RestorePlan } from "./phases.ts";
import { Target } from "./target.ts";
import type { RestoreOutcome, RestoreUnit } from "./unit.ts";
import { writeChunk } from "./write-chunk.ts";

/** Restores files of backups into one database, as they come: for a restore that another process leads. */
export class RestoreWorker {
  readonly #pool: FailoverPool;
  /** Known once the server was asked. */
  #target: { readonly dialect: TargetDialect; readonly target: Target } | undefined;
  readonly #store: Store;
  readonly #key: KeySource | undefined;
  #opened: { readonly name: string; readonly backup: Promise<OpenedBackup> } | undefined;
  /** Of the backup that is open. */
  #dialect: TargetDialect | undefined;

  constructor(
    into: FailoverPool,
    options: { readonly from: string | Store; readonly encryption?: KeySource | undefined },
  ) {
    this.#pool = into;
    this.#store = checkStore("from", options.from);
    this.#key = checkKeySource(options.encryption);
  }

  /** Never rejects: what went wrong is an outcome, for whoever has given the unit out. */
  async run(unit: RestoreUnit, signal: AbortSignal): Promise<RestoreOutcome> {
    try {
      await this.#restore(unit, signal);
      return { what: "done" };
    } catch (error) {
      this.#opened = undefined;
      this.#dialect = undefined;
      const isPassing = signal.aborted || (error instanceof BackupError && error.retryable);
      const code = error instanceof BackupError ? error.code : undefined;
      return { what: "failed", isPassing, code, message: messageOf(error) };
    }
  }

  close(): void {
    this.#target?.target.close();
  }

  async #restore({ backup: name, id, file }: RestoreUnit, signal: AbortSignal): Promise<void> {
    if (this.#opened?.name !== name) {
      this.#opened = { name, backup: openBackup(this.#store, name, this.#key, signal) };
      this.#dialect = undefined;
    }
    const opened = await this.#opened.backup;
    const { manifest, format } = opened;
    const chunk = manifest.chunks.find((each) => each.file === file);
    const table = chunk && manifest.tables[chunk.table];
    if (manifest.id !== id || chunk === undefined || table === undefined)
      throw new BackupError("CORRUPT", `${name} in ${this.#store.description} is another backup`, { subject: name });
    const { dialect: own, target } = await this.#open(signal);
    this.#dialect ??= await this.#dialectFor(own, target, opened, signal);
    const dialect = this.#dialect;
    const work = async (connection: ReservedConnection): Promise<void> => {
      // one that comes late must not write into what another restore has begun since
      if (!(await dialect.isOfRestore(connection, id)))
        throw new BackupError("TARGET_MARKED", "the target holds an unfinished restore of another backup");
      const open = await dialect.write(connection, manifest, table);
      await writeChunk(connection, open, chunk, format, signal, () => {});
    };
    if (await dialect.isUnsafe(target, table, signal)) await target.repeatable(file, showTable(table), signal, work);
    else await target.step(file, showTable(table), signal, work);
  }

  /** What may be lost on the way into another system says who leads the restore. */
  async #dialectFor(
    own: TargetDialect,
    target: Target,
    backup: OpenedBackup,
    signal: AbortSignal,
  ): Promise<TargetDialect> {
    const mark = await own.readMark(target, signal);
    const lossy = mark === undefined ? undefined : (JSON.parse(mark.plan) as RestorePlan).lossy; // our own
    return dialectFor(own, this.#pool, backup, lossy);
  }

  async #open(signal: AbortSignal): Promise<{ readonly dialect: TargetDialect; readonly target: Target }> {
    if (this.#target === undefined) {
      const dialect = await dialectOf(this.#pool, signal);
      this.#target ??= { dialect, target: new Target(this.#pool, dialect) };
    }
    return this.#target;
  }
}
