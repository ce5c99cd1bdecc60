import type { Result, Statement } from "@mirrorpool/core";
import { ownOf, ownStatement, withOwn } from "./own.ts";

/**
 * The ids of new rows are never given twice, not even to a transaction that was undone: without this no insert would answer the
 * same when it is run again.
 */
export function again(statement: Statement, { command, insertId }: Result): Statement {
  const id = String(insertId);
  return MAKERS.has(command) && /^[1-9]\d*$/.test(id) ? withOwn(statement, { insertId: id }) : statement;
}

/** What makes rows. Others tell an id as well, by `LAST_INSERT_ID(expression)`. */
const MAKERS: ReadonlySet<string> = new Set(["INSERT", "REPLACE", "LOAD"]);

/** Statements that were found to tell an id that they have themselves, and not one that the server has made up. */
const withTheirOwn = new WeakSet<Statement>();

/**
 * Runs a statement again with the id that it was given. An id that it has no use for would be taken by the next insert, into whatever
 * table: only MariaDB takes one back.
 * @returns its answer, and whether the server still holds the id
 */
export async function runAgain(
  run: (statement: Statement) => Promise<Result>,
  statement: Statement,
  isMariadb: boolean,
): Promise<{ readonly result: Result; readonly isPending: boolean }> {
  if (withTheirOwn.has(statement)) return { result: await run(statement), isPending: false };
  const result = await run(withOwn(statement, { before: [`SET insert_id = ${ownOf(statement)?.insertId}`] }));
  const { rows } = await run(ownStatement("SELECT @@insert_id AS pending", [], {}));
  let isPending = String(rows[0]?.["pending"]) !== "0";
  if (isPending) withTheirOwn.add(statement);
  if (isPending && isMariadb) {
    await run(ownStatement("SET insert_id = 0", [], {}));
    isPending = false;
  }
  return { result, isPending };
}
