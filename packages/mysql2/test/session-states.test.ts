import type { SessionState } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { mysql } from "@mirrorpool/mysql2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { driver, open, servers } from "./server.ts";

const states = mysql().states as NonNullable<ReturnType<typeof mysql>["states"]>;

/** The state after these statements; fails where one cannot be carried. */
function after(...texts: readonly string[]): SessionState | undefined {
  let state: SessionState | undefined;
  for (const text of texts) {
    const next = states.after(state, { text });
    if (next === "pinned") throw new Error(`cannot be carried: ${text}`);
    state = next;
  }
  return state;
}
const textsOf = (from: SessionState | undefined, to: SessionState | undefined): string[] =>
  states.change(from, to).map(({ text }) => text);

test.each([
  ["a setting", ["SET SESSION group_concat_max_len = 9"], ["SET SESSION group_concat_max_len = 9"]],
  ["the last one of two", ["SET @a = 1", "SET @a = 2"], ["SET @a = 2"]],
  ["both of two", ["SET @a = 1", "SET @b = 2"], ["SET @a = 1", "SET @b = 2"]],
  ["the database", ["USE one", "USE two"], ["USE two"]],
  [
    "what another one was made from",
    ["SET sql_mode = 'ANSI'", "SET sql_mode = CONCAT(@@sql_mode, ',NO_ZERO_DATE')"],
    ["SET sql_mode = 'ANSI'", "SET sql_mode = CONCAT(@@sql_mode, ',NO_ZERO_DATE')"],
  ],
  ["a prepared statement", ["SET @a = 1", "PREPARE p FROM 'SELECT @a'"], ["SET @a = 1", "PREPARE p FROM 'SELECT @a'"]],
  [
    "the one that has the name now",
    ["PREPARE p FROM 'SELECT 1'", "PREPARE p FROM 'SELECT 2'"],
    ["PREPARE p FROM 'SELECT 2'"],
  ],
  ["nothing once it is gone", ["PREPARE p FROM 'SELECT 1'", "DEALLOCATE PREPARE p"], []],
])("%s is carried", (_, texts, carried) => {
  expect(textsOf(undefined, after(...texts))).toEqual(carried);
});

test.each(["SET autocommit = 0", "SET @a = (SELECT 1)", "SET timestamp = 1", "DEALLOCATE PREPARE nobody"])(
  "%s ties the session to its connection",
  (text) => {
    expect(states.after(undefined, { text })).toBe("pinned");
  },
);

test("what is set for the next transaction alone is over once that has begun, and lasts for who comes before", () => {
  const text = "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE";
  const lasting = after("SET @a = 1");
  const both = after("SET @a = 1", text);
  expect(textsOf(undefined, both)).toEqual(["SET @a = 1", text]);
  expect(states.begun?.(both as SessionState)).toEqual(lasting);
  expect(states.begun?.(lasting as SessionState)).toBe(lasting);
  expect(states.begun?.(after(text) as SessionState)).toBeUndefined();
});

test("no rollback undoes what was set", () => {
  const [before, state] = [after("SET @a = 1"), after("SET @a = 2")];
  expect(states.rolledBack(state, before)).toBe(state);
});

test("what is missing is added; where something is too much the session is made anew", () => {
  const [one, two] = [after("SET @a = 1"), after("SET @a = 1", "SET @b = 2")];
  expect(textsOf(one, two)).toEqual(["SET @b = 2"]);
  expect(states.change(two, two)).toEqual([]);
  expect(states.change(two, one)).toHaveLength(2);
  expect(states.change(two, undefined)).toHaveLength(1);
});

test("a session beyond the bound stays on its connection", () => {
  let state: SessionState | undefined;
  const set = (number: number) => states.after(state, { text: `SET @v${number} = 1` });
  for (let number = 0; number < 200; number += 1) state = set(number) as SessionState;
  expect(set(200)).toBe("pinned");
});

describe.each(servers)("on %s", (server) => {
  let cluster: LabCluster;
  beforeAll(async () => {
    cluster = await createCluster({ server, mirrors: 0 });
  }, 120_000);
  afterAll(() => cluster?.close());

  test("a connection that is made anew is as it was opened", async () => {
    const connection = await open(cluster.primary());
    const read = async () => {
      const text =
        "SELECT @a AS a, DATABASE() AS d, @@sql_mode AS m, @@character_set_client AS c, @@collation_connection AS o, @@transaction_isolation AS i";
      const old = text.replace(
        "@@transaction_isolation",
        server === "mariadb" ? "@@tx_isolation" : "@@transaction_isolation",
      );
      return (await connection.run({ text: old })).rows[0];
    };
    await driver.probe(connection);
    const before = await read();
    const prepared = { text: "SELECT ? AS n", values: [1], execute: true };
    await connection.run(prepared);
    const state = after(
      "SET @a = 1",
      "USE information_schema",
      "SET sql_mode = 'ANSI'",
      "SET NAMES latin1",
      "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    );
    for (const statement of states.change(undefined, state)) await connection.run(statement);
    expect(await read()).not.toEqual(before);
    for (const statement of states.change(state, undefined)) await connection.run(statement);
    expect(await read()).toEqual(before);
    expect((await connection.run(prepared)).rows).toEqual([{ n: 1 }]);
    connection.destroy();
  });

  test("a session that was made anew on a mirror is read-only again", async () => {
    const connection = await open(cluster.primary());
    await driver.probe(connection);
    connection.serveAs?.("mirror");
    await connection.run({ text: "SET @a = 1" });
    for (const statement of states.change(after("SET @a = 1"), undefined)) await connection.run(statement);
    await expect(connection.run({ text: "CREATE TABLE nothing (id int)" })).rejects.toMatchObject({ errno: 1792 });
    connection.destroy();
  });
});
