import type { Driver, TransactionMode } from "@mirrorpool/core";
import { createInspector } from "@mirrorpool/sql";
import { classify } from "./classify.ts";
import { openConnection } from "./connection.ts";
import { ledger } from "./ledger.ts";
import { positions } from "./positions.ts";
import { probe } from "./probe.ts";
import { sessionStates } from "./session-states.ts";
import { parseUrl } from "./url.ts";

/**
 * The driver for PostgreSQL 14 and later, on the application's own `pg` (8.16.3 or later).
 * @example createPool({ driver: postgres(), nodes: ["postgres://app@one/shop", "postgres://app@two/shop"] })
 */
export function postgres(): Driver {
  const inspector = createInspector("postgres");
  return Object.freeze({
    name: "pg",
    defaultPort: 5432,
    positions,
    transactions: { begin, commit: "COMMIT", rollback: "ROLLBACK" },
    ledger,
    states: sessionStates,
    parseUrl,
    connect: openConnection,
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
