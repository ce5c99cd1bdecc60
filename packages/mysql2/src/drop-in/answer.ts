import type { Result } from "@mirrorpool/core";
import type { MysqlResult } from "../result.ts";

/** As `mysql2` calls back: rows or a header, and the columns. */
export type Answer = readonly [answer: unknown, fields: unknown];

export function answerOf(result: Result): Answer {
  if ("answer" in result) return (result as MysqlResult).answer;
  // what the core itself answers, such as a COMMIT that was settled by the ledger
  return [{ ...NOTHING_DONE }, undefined];
}

/** The header of a statement that has touched no row; the server is in autocommit, outside a transaction. */
const NOTHING_DONE = {
  fieldCount: 0,
  affectedRows: 0,
  insertId: 0,
  info: "",
  serverStatus: 2,
  warningStatus: 0,
  changedRows: 0,
} as const;
