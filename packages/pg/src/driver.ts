import { type ConnectTarget, type Driver, OptionsError, type TransactionMode } from "@mirrorpool/core";
import { createInspector } from "@mirrorpool/sql";
import type pg from "pg";
import { classify } from "./classify.ts";
import { isPipeable } from "./connection.ts";
import { ledger } from "./ledger.ts";
import { openConnection, type Prepare } from "./login.ts";
import { PlanWatch } from "./plan-watch.ts";
import { positions } from "./positions.ts";
import { type PreparedStatementOptions, PreparedStatements } from "./prepared-statements.ts";
import { probe } from "./probe.ts";
import { sessionStates } from "./session-states.ts";
import { parseUrl } from "./url.ts";

/** Settings of `pg`'s own client that hold for every connection, whatever its node; a node's URL goes before them. */
export type ClientSettings = Pick<
  pg.ClientConfig,
  | "client_encoding"
  | "enableChannelBinding"
  | "fallback_application_name"
  | "idle_in_transaction_session_timeout"
  | "keepAlive"
  | "keepAliveInitialDelayMillis"
  | "lock_timeout"
  | "options"
  | "sslnegotiation"
  | "statement_timeout"
  | "stream"
>;

/** What there is beside `pg`'s settings. */
export interface PostgresSettings extends ClientSettings {
  /**
   * Statements that a connection runs again and again are prepared on the server, by their text. `false` for a pooler in between
   * that changes the server's session from transaction to transaction, such as PgBouncer before 1.21.
   */
  readonly preparedStatements?: false | PreparedStatementOptions;
}

/**
 * The driver for PostgreSQL 14 and later, on the application's own `pg` (8.16.3 or later).
 * @param settings for all connections
 * @throws {OptionsError} for `preparedStatements` out of their bounds
 * @example createPool({ driver: postgres(), nodes: ["postgres://app@one/shop", "postgres://app@two/shop"] })
 */
export function postgres({ preparedStatements, ...settings }: PostgresSettings = {}): Driver {
  const inspector = createInspector("postgres");
  const inspect: Driver["inspect"] = (text) => inspector.inspect(text);
  let canPipeline = true;
  const options = checkedOptions(preparedStatements);
  const watches = new Map<string, PlanWatch>();
  const watchOf = ({ host, port, database }: ConnectTarget): PlanWatch => {
    const key = `${host} ${port} ${database}`; // as many as the configuration has
    const watch = watches.get(key) ?? new PlanWatch();
    watches.set(key, watch);
    return watch;
  };
  const prepare: Prepare | undefined =
    options && ((parsed, target) => new PreparedStatements(options, inspect, parsed, watchOf(target)));
  return Object.freeze({
    name: "pg",
    defaultPort: 5432,
    positions,
    transactions: { begin, commit: "COMMIT", rollback: "ROLLBACK" },
    ledger,
    states: sessionStates,
    parseUrl,
    connect: async (target, signal) => {
      const connection = await openConnection(target, signal, settings, prepare);
      if (connection.pipeline === undefined && canPipeline) {
        canPipeline = false;
        process.emitWarning("reads share no connections: that takes pg 8.22 or later", "MirrorpoolWarning");
      }
      return connection;
    },
    probe,
    classify,
    inspect,
    mayPipeline: (statement) => canPipeline && isPipeable(statement),
  } satisfies Driver);
}

const PREPARED_DEFAULTS = { after: 5, max: 100 };
const PREPARED_LIMITS = { after: 1000, max: 10_000 };

function checkedOptions(given: PostgresSettings["preparedStatements"] = {}): typeof PREPARED_DEFAULTS | undefined {
  const path = "preparedStatements";
  if (given === false) return undefined;
  if (typeof given !== "object" || given === null) throw new OptionsError(path, "false or an object", String(given));
  const options = { ...PREPARED_DEFAULTS, ...given };
  for (const [key, value] of Object.entries(options)) {
    const limit = PREPARED_LIMITS[key as keyof typeof PREPARED_LIMITS];
    if (limit === undefined) throw new OptionsError(`${path}.${key}`, "one of after, max", "an unknown option");
    if (Number.isInteger(value) && value >= 1 && value <= limit) continue;
    throw new OptionsError(`${path}.${key}`, `a whole number from 1 to ${limit}`, String(value));
  }
  return options;
}

/** The only levels there are: nothing else gets into the statement. */
const ISOLATION = {
  "read uncommitted": "ISOLATION LEVEL READ UNCOMMITTED",
  "read committed": "ISOLATION LEVEL READ COMMITTED",
  "repeatable read": "ISOLATION LEVEL REPEATABLE READ",
  serializable: "ISOLATION LEVEL SERIALIZABLE",
} as const;

function begin({ isolation, readOnly, deferrable }: TransactionMode): string {
  const modes = [
    isolation === undefined ? undefined : ISOLATION[isolation],
    readOnly === undefined ? undefined : readOnly ? "READ ONLY" : "READ WRITE",
    deferrable === undefined ? undefined : deferrable ? "DEFERRABLE" : "NOT DEFERRABLE",
  ].filter((mode) => mode !== undefined);
  return ["BEGIN", ...modes].join(" ");
}
