import { type Connection, type Driver, OptionsError, type Statement, type TransactionMode } from "@mirrorpool/core";
import { createInspector } from "@mirrorpool/sql";
import { again } from "./again.ts";
import { classify } from "./classify.ts";
import { type MysqlConnection, openConnection } from "./connection.ts";
import { ledger } from "./ledger.ts";
import type { ClientSettings } from "./open.ts";
import { ownStatement } from "./own.ts";
import { positions } from "./positions.ts";
import { probe } from "./probe.ts";
import { sessionStates } from "./session-states.ts";
import { completeBy } from "./sql-values.ts";
import { DEFAULT_PORT, parseUrl } from "./url.ts";

/**
 * The driver for MariaDB 10.11 and later and MySQL 8.4 and later, on the application's own `mysql2` (3.11 or later). Replication
 * must be by GTID.
 * @param settings of `mysql2`'s own connection, for all connections
 * @example createPool({ driver: mysql(), nodes: ["mysql://app@one/shop", "mysql://app@two/shop"] })
 */
export function mysql(settings: ClientSettings = {}): Driver {
  const inspector = createInspector("mysql");
  const inspect: Driver["inspect"] = (text) => inspector.inspect(text);
  const options = { settings, inspect };
  return Object.freeze({
    name: "mysql2",
    defaultPort: DEFAULT_PORT,
    positions,
    transactions: { begin, commit: "COMMIT", rollback: "ROLLBACK" },
    ledger,
    states: sessionStates,
    parseUrl,
    connect: (target, signal) => openConnection(target, signal, options),
    // the only connections that this driver opens
    probe: (connection: Connection, ledgerTable?: string) => probe(connection as MysqlConnection, ledgerTable),
    classify,
    again,
    complete: completeBy(settings),
    inspect,
    mayPipeline,
  } satisfies Driver);
}

/** What a statement may say besides its text: how its answer is to be read. */
const PIPEABLE: ReadonlySet<string> = new Set([
  ...["text", "values", "sql", "written", "holder", "rowsAsArray", "nestTables", "typeCast"],
  ...["dateStrings", "supportBigNumbers", "bigNumberStrings", "timezone"],
]);

function mayPipeline(statement: Statement): boolean {
  for (const name in statement) if (!PIPEABLE.has(name)) return false;
  return true;
}

/** The only levels there are: nothing else gets into the statement. */
const ISOLATION = {
  "read uncommitted": "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED",
  "read committed": "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
  "repeatable read": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
  serializable: "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
} as const;

function begin({ isolation, readOnly, deferrable }: TransactionMode): Statement {
  if (deferrable !== undefined) {
    throw new OptionsError("deferrable", "nothing: MariaDB and MySQL have no such transactions", String(deferrable));
  }
  const mode = readOnly === undefined ? "" : readOnly ? " READ ONLY" : " READ WRITE";
  const before = isolation === undefined ? [] : [ISOLATION[isolation]];
  return ownStatement(`START TRANSACTION${mode}`, [], { before });
}
