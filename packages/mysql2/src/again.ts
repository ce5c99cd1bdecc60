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

const SAVEPOINT = "mirrorpool_again";

type Run = (statement: Statement) => Promise<Result>;

/** The answer of a statement that was run again, and whether the server still holds an id for the next row. */
interface Repeated {
  readonly result: Result;
  readonly isPending: boolean;
}

/**
 * Runs a statement again with the id that it was given. An id that it has no use for would be taken by the next insert, into whatever
 * table: only MariaDB takes one back.
 */
export async function runAgain(run: Run, statement: Statement, isMariadb: boolean): Promise<Repeated> {
  const id = ownOf(statement)?.insertId ?? "";
  if (withTheirOwn.has(statement)) return { result: await run(statement), isPending: false };
  if (!names(statement, id)) return runWithId(run, statement, [`SET insert_id = ${id}`], isMariadb);
  const result = await run(withOwn(statement, { before: [`SAVEPOINT ${SAVEPOINT}`] }));
  if (String(result.insertId) === id) return { result, isPending: false };
  return runWithId(run, statement, [`ROLLBACK TO ${SAVEPOINT}`, `SET insert_id = ${id}`], isMariadb);
}

async function runWithId(
  run: Run,
  statement: Statement,
  before: readonly string[],
  isMariadb: boolean,
): Promise<Repeated> {
  const result = await run(withOwn(statement, { before, setsId: true }));
  const { rows } = await run(ownStatement("SELECT @@insert_id AS pending", [], {}));
  const isPending = String(rows[0]?.["pending"]) !== "0";
  if (isPending) withTheirOwn.add(statement);
  if (isPending && isMariadb) await run(ownStatement("SET insert_id = 0", [], {}));
  return { result, isPending: isPending && !isMariadb };
}

/** The id is in the statement: it may be the application's own choice. */
function names({ text, values }: Statement, id: string): boolean {
  return values?.some((value) => String(value) === id) === true || new RegExp(`(?<![\\w.])${id}(?![\\w.])`).test(text);
}
