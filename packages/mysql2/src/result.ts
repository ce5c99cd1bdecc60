import type { Result, StatementFacts } from "@mirrorpool/core";
import type { FieldPacket, ResultSetHeader } from "mysql2";

/** What one statement answered: its rows, or what it did. */
type Answer = readonly Record<string, unknown>[] | ResultSetHeader;

/** The result of a statement, with what `mysql2` itself gives. */
export interface MysqlResult extends Result {
  /** The first two things that `mysql2` gives to a callback after the error: rows or header, and columns. */
  readonly answer: readonly [result: unknown, fields: unknown];
  readonly insertId?: number | string;
}

/** @param facts of the text: the server answers with a count also where nothing is counted */
export function toResult(facts: StatementFacts, answer: unknown, fields: unknown): MysqlResult {
  if (!hasSeveral(fields)) return single(facts, answer as Answer, fields as FieldPacket[] | undefined);
  const results = (answer as Answer[]).map((each, index) => single(facts, each, fields[index]));
  const last = results.at(-1) as MysqlResult; // at least two
  return { ...last, results, answer: [answer, fields] };
}

/** The header of the last result, where that is one: what the server said of the transaction. */
export function statusOf(answer: unknown, fields: unknown): number | undefined {
  const last: unknown = hasSeveral(fields) ? (answer as unknown[]).at(-1) : answer;
  return Array.isArray(last) ? undefined : (last as ResultSetHeader | undefined)?.serverStatus;
}

/** Of a text with several statements, or a call: the columns of each result, where it has any. */
function hasSeveral(fields: unknown): fields is (FieldPacket[] | undefined)[] {
  return (
    Array.isArray(fields) && fields.length > 1 && fields.every((each) => each === undefined || Array.isArray(each))
  );
}

function single(facts: StatementFacts, answer: Answer, fields: FieldPacket[] | undefined): MysqlResult {
  const command = firstWord(facts.command);
  if (isRows(answer)) {
    const rows = answer as Record<string, unknown>[]; // nobody changes it
    return { rows, rowCount: rows.length, command, fields: fields ?? [], answer: [answer, fields] };
  }
  const { affectedRows, insertId } = answer;
  const rowCount = isCounted(facts) ? affectedRows : null;
  const result = { rows: [], rowCount, command, fields: [], answer: [answer, fields] as const };
  return insertId === 0 ? result : { ...result, insertId };
}

function firstWord(text: string): string {
  const end = text.indexOf(" ");
  return end < 0 ? text : text.slice(0, end);
}

/** Not what controls transactions or sets something. */
function isCounted({ transaction, session, multiple }: StatementFacts): boolean {
  return multiple || transaction === "mixed" || (transaction === "none" && session === "none");
}

const isRows = (answer: Answer): answer is readonly Record<string, unknown>[] => Array.isArray(answer);
