import type { Result } from "@mirrorpool/core";
import pg from "pg";

/** As `pg` answers: its own result, and of a text with several statements all of them. */
export function toPgResult(result: Result): unknown {
  const { results } = result;
  if (results !== undefined) {
    for (const each of results) if ("results" in each) delete (each as { results?: unknown }).results; // the core's addition
    return results;
  }
  if (result instanceof pg.Result) return result;
  // what the core itself answers, such as a COMMIT that was settled by the ledger
  const { command, rowCount, rows } = result;
  return Object.assign(new pg.Result("", undefined as never), { command, rowCount, rows });
}
