import type { Statement } from "@mirrorpool/core";
import { mysql } from "@mirrorpool/mysql2";
import mysql2 from "mysql2";
import { expect, test } from "vitest";

const judge = (statement: Statement, driver = mysql()): { readonly statement: Statement; readonly intent: string } => {
  const complete = driver.complete?.(statement) ?? statement;
  return { statement: complete, intent: driver.inspect(complete.text).intent };
};

test.each<[string, unknown[], string, string]>([
  ["SELECT ? AS x", [mysql2.raw("GET_LOCK('l', 0)")], "SELECT GET_LOCK('l', 0) AS x", "write"],
  ["SELECT * FROM t WHERE id = 1 ?", [mysql2.raw("FOR UPDATE")], "SELECT * FROM t WHERE id = 1 FOR UPDATE", "write"],
  ["SELECT ? AS x", [{ toSqlString: () => "make_order(1)" }], "SELECT make_order(1) AS x", "write"],
  ["SELECT * FROM ?? WHERE id = ?", ["t", 1], "SELECT * FROM `t` WHERE id = 1", "read"],
])("%s with %j is judged by the text with its values", (text, values, final, intent) => {
  const judged = judge({ text, values });
  expect(judged).toMatchObject({ intent, statement: { text: final, written: { text, values } } });
  expect(judged.statement.values).toBeUndefined();
});

test("values that cannot be SQL leave a statement as it was written", () => {
  const statement = { text: "SELECT ?", values: [1, "FOR UPDATE", null, new Date(), Buffer.from("x"), [1, 2]] };
  expect(judge(statement).statement).toBe(statement);
});

test("what is prepared has no SQL in its values", () => {
  const statement = { text: "SELECT ?", values: [{ a: 1 }], execute: true };
  expect(judge(statement).statement).toBe(statement);
});

test("values are written by the driver's own settings", () => {
  const queryFormat = (text: string, [value]: { toSqlString(): string }[]) =>
    text.replace(":x", String(value?.toSqlString()));
  const driver = mysql({ queryFormat });
  const { statement, intent } = judge({ text: "SELECT :x", values: [mysql2.raw("SLEEP(1)")] }, driver);
  expect({ text: statement.text, intent }).toEqual({
    text: "SELECT SLEEP(1)",
    intent: driver.inspect("SELECT SLEEP(1)").intent,
  });
});
