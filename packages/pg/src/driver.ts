import type { Driver, TransactionMode } from "@mirrorpool/core";
import { createInspector } from "@mirrorpool/sql";
import type pg from "pg";
import { classify } from "./classify.ts";
import { openConnection } from "./connection.ts";
import { ledger } from "./ledger.ts";
import { positions } from "./positions.ts";
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

/**
 * The driver for PostgreSQL 14 and later, on the application's own `pg` (8.16.3 or later).
 * @param settings for all connections
 * @example createPool({ driver: postgres(), nodes: ["postgres://app@one/shop", "postgres://app@two/shop"] })
 */
export function postgres(settings: ClientSettings = {}): Driver {
  const inspector = createInspector("postgres");
  return Object.freeze({
    name: "pg",
    defaultPort: 5432,
    positions,
    transactions: { begin, commit: "COMMIT", rollback: "ROLLBACK" },
    ledger,
    states: sessionStates,
    parseUrl,
    connect: (target, signal) => openConnection(target, signal, settings),
    probe,
    classify,
    inspect: (text) => inspector.inspect(text),
  } satisfies Driver);
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
