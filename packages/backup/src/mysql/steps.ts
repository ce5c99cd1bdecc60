import type { ReservedConnection } from "@mirrorpool/core";
import { askMysql as ask, type Dialect, numberOf, tellMysql as tell } from "@mirrorpool/sync/for-other-jobs";
import type { StepDialect } from "../dialect.ts";
import { messageOf } from "../errors.ts";
import { STEPS } from "./mark-name.ts";

/** Read-only, or going down; a deadlock, a lock that was not had, a killed statement; a group without a quorum. */
const LOSSES: ReadonlySet<number> = new Set([
  ...[1020, 1047, 1053, 1205, 1213, 1290, 1317, 1614, 1792, 1836, 1927, 3032, 3100],
]);

/** Errors whose messages show a value: of a duplicate, and of what is no number, date or text of its column. */
const TELLING: ReadonlySet<number> = new Set([
  1062, 1264, 1292, 1300, 1366, 1367, 1411, 1525, 1586, 1690, 3140, 3141, 4025,
]);

/** What the server says, or its number where that would show a value. The statement goes: it may be all rows of a chunk. */
function describe(error: unknown): string {
  if (typeof error === "object" && error !== null && "sql" in error) delete error.sql;
  const number = numberOf(error) ?? 0;
  return TELLING.has(number) ? `the server refuses it with its error ${number}` : messageOf(error);
}

/** How the steps of a restore run in a session of MariaDB or MySQL. */
export function createSteps({ beginLoad }: Dialect): StepDialect {
  return Object.freeze({
    prepare: async (connection, signal) => {
      // a transaction of a session that writes rows as they are: its settings stay
      await beginLoad(connection, signal ?? new AbortController().signal);
      await connection.query("ROLLBACK");
    },
    begin: async (connection) => {
      await connection.query("START TRANSACTION");
    },
    claim: async (connection, step) =>
      (await tell(connection, `INSERT IGNORE INTO ${STEPS} (name) VALUES (?)`, [step])) === 1,
    commit: async (connection) => {
      await tell(connection, "COMMIT");
      return true;
    },
    messageOf: describe,
    isLoss: (error) => LOSSES.has(numberOf(error) ?? 0),
  } satisfies StepDialect);
}

/** The steps that are noted. */
export async function readSteps(on: Pick<ReservedConnection, "query">): Promise<ReadonlySet<string>> {
  const rows = await ask<{ name: string }>(on, `SELECT name FROM ${STEPS}`);
  return new Set(rows.map(({ name }) => name));
}
