import type { Result, Statement, StatementFacts } from "../driver.ts";

/** A BEGIN that the application was answered, and that goes to the server with the statement after it. Its connection is in hand. */
export interface UnsentBegin {
  readonly statement: Statement;
  readonly facts: StatementFacts;
}

/** What a server answers to a BEGIN, and to the end of what that has begun. */
export function answerTo({ command }: StatementFacts): Result {
  return { rows: [], rowCount: null, command: command.split(" ")[0] as string }; // of START TRANSACTION it is the first word
}

/** Whether a BEGIN may wait. Its own values or a channel would be a mistake, which only the server may judge. */
export function mayWait({ values = [], channel }: Statement, { canWait }: StatementFacts): boolean {
  return canWait === true && values.length === 0 && channel === undefined;
}

/** Whether the statement may go in one flush with the BEGIN before it: by itself, and without ending what that has begun. */
export function goesWithBegin({ transaction, implicitCommit, multiple, stream }: StatementFacts): boolean {
  return (transaction === "none" || transaction === "savepoint") && implicitCommit !== true && !multiple && !stream;
}
