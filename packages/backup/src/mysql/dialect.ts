import type { ReservedConnection } from "@mirrorpool/core";
import {
  quoteMysqlName,
  type Dialect as SyncDialect,
  type Table,
  tellMysql as tell,
} from "@mirrorpool/sync/for-other-jobs";
import type { Dialect } from "../dialect.ts";
import { BackupError } from "../errors.ts";
import type { BackedUpTable } from "../format/manifest.ts";
import { RowContent } from "../stream/row-content.ts";
import { showTable } from "../table-names.ts";
import { Batches } from "./batches.ts";
import { asBackedUp } from "./forms.ts";
import { readUnsafe, requireFit } from "./inspect.ts";
import { lockTarget } from "./lock.ts";
import { isOfRestore, mark, readMark, stepsDone, unmark } from "./mark.ts";
import { MARK } from "./mark-name.ts";
import { finish, giveUp, prepare } from "./phases.ts";
import type { Flavor } from "./position.ts";
import { createSteps } from "./steps.ts";
import { supported } from "./supported.ts";
import { MysqlView } from "./view.ts";

/** MariaDB 10.6 and later, MySQL 8.0 and later. @param dialect of sync, whose view, rows and types these jobs use */
export function createMysqlDialect(dialect: SyncDialect, flavor: Flavor): Dialect {
  const tables = new TargetTables(dialect);
  return Object.freeze({
    system: "mysql",
    openView: (pool, from, jobs, signal) => MysqlView.open(dialect, flavor, pool, from, jobs, signal),
    steps: createSteps(dialect),
    lock: lockTarget,
    quoteTable: ({ name }) => quoteMysqlName(name),
    readMark,
    mark,
    unmark,
    stepsDone,
    markName: `the table ${MARK}`,
    requireFit: (target, manifest, plan, signal) =>
      supported(() => requireFit(dialect, target, manifest, plan, signal)),
    prepare: async (phase) => {
      await prepare(phase);
      tables.forget();
    },
    write: async (connection, _, table) => {
      const { model, isUnsafe } = await tables.find(connection, table);
      // what a former try has left
      if (isUnsafe) await tell(connection, `DELETE FROM ${quoteMysqlName(table.name)}`);
      return () => dialect.sink(connection, model, table.columns, "text");
    },
    isUnsafe: async (target, table, signal) =>
      target.on(signal, async (connection) => (await tables.find(connection, table)).isUnsafe),
    isOfRestore,
    finish: (phase) => finish(dialect, phase),
    giveUp,
    readBack: async (connection, _, table, signal) => {
      const { model } = await tables.find(connection, table);
      const rows = dialect.source(connection, model, { from: null, to: null }, "text");
      return new RowContent(rows, (give, fresh) => new Batches(give, fresh), signal);
    },
  } satisfies Dialect);
}

interface Known {
  readonly models: ReadonlyMap<string, Table>;
  readonly unsafe: ReadonlySet<string>;
}

/** The target's tables, asked for once. */
class TargetTables {
  readonly #dialect: SyncDialect;
  #known: Known | undefined;

  constructor(dialect: SyncDialect) {
    this.#dialect = dialect;
  }

  /** They are others now. */
  forget(): void {
    this.#known = undefined;
  }

  /** @throws {BackupError} `TARGET_LACKS` */
  async find(
    on: ReservedConnection,
    table: BackedUpTable,
  ): Promise<{ readonly model: Table; readonly isUnsafe: boolean }> {
    const hasIt = ({ models }: Known): boolean => {
      const names = models.get(table.name)?.columns.map(({ name }) => name);
      return names !== undefined && table.columns.every((name) => names.includes(name));
    };
    if (this.#known === undefined || !hasIt(this.#known)) this.#known = await supported(() => this.#read(on));
    const { models, unsafe } = this.#known;
    const model = models.get(table.name);
    const subject = showTable(table);
    if (model === undefined || !hasIt(this.#known))
      throw new BackupError("TARGET_LACKS", `${subject} is not in the target as it is in the backup`, { subject });
    return { model: asBackedUp(model, table.neutral ?? []), isUnsafe: unsafe.has(table.name) };
  }

  async #read(on: ReservedConnection): Promise<Known> {
    const { tables } = await this.#dialect.readCatalog(on, undefined);
    return { models: new Map(tables.map((table) => [table.name, table])), unsafe: await readUnsafe(on) };
  }
}
