import { type Connection, createPool, type FailoverPool, type Result } from "@mirrorpool/core";
import { createCluster, type LabCluster, type LabNode } from "@mirrorpool/lab";
import { type PostgresSettings, type PreparedStatementOptions, postgres } from "@mirrorpool/pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { rejection, targetOf } from "./server.ts";

let cluster: LabCluster;
let node: LabNode;
/** Somebody else's connection. */
let other: Connection;
const opened: Connection[] = [];

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 0 });
  node = cluster.primary();
  other = await postgres({ preparedStatements: false }).connect(targetOf(node), new AbortController().signal);
});
beforeEach(async () => {
  await elsewhere("DROP TABLE IF EXISTS thing; CREATE TABLE thing (id int, name text)");
  await elsewhere("INSERT INTO thing VALUES (1, 'a')");
});
afterEach(() => {
  for (const connection of opened.splice(0)) connection.destroy();
});
afterAll(async () => {
  other?.destroy();
  await cluster?.close();
});

const elsewhere = async (text: string): Promise<Result["rows"]> => (await other.run({ text })).rows;

type Settings = PostgresSettings["preparedStatements"];

async function open(preparedStatements: Settings = { after: 2 }): Promise<Connection> {
  const driver = postgres(preparedStatements === undefined ? {} : { preparedStatements });
  const connection = await driver.connect(targetOf(node), new AbortController().signal);
  opened.push(connection);
  return connection;
}

/** Texts that the server has prepared for this session by the protocol. By a text of another kind: it is not prepared itself. */
async function prepared(connection: Connection): Promise<unknown[]> {
  const { rows } = await connection
    .run({
      text: "SELECT statement FROM pg_prepared_statements WHERE NOT from_sql ORDER BY prepare_time; SELECT 1 WHERE false",
    })
    .then(({ results = [] }) => results[0] ?? { rows: [] });
  return rows.map((row) => row["statement"]);
}

async function times(count: number, connection: Connection, text: string, values?: readonly unknown[]): Promise<void> {
  for (let index = 0; index < count; index += 1)
    await connection.run(values === undefined ? { text } : { text, values });
}

const BY_ID = "SELECT * FROM thing WHERE id = $1";

test("a statement is prepared from its second use on, where the option says so, and by default from its fifth", async () => {
  const eager = await open();
  await times(1, eager, BY_ID, [1]);
  expect(await prepared(eager)).toEqual([]);
  await times(3, eager, BY_ID, [1]);
  expect(await prepared(eager)).toEqual([BY_ID]);
  const usual = await open({});
  await times(4, usual, BY_ID, [1]);
  expect(await prepared(usual)).toEqual([]);
  await times(4, usual, BY_ID, [1]);
  expect(await prepared(usual)).toEqual([BY_ID]);
});

test.each([
  ["with values", BY_ID, [1]],
  ["without values", "SELECT id, name FROM thing", undefined],
  ["of a write", "UPDATE thing SET name = $2 WHERE id = $1", [1, "a"]],
  [
    "of a common table expression",
    "WITH one AS (SELECT 1 AS id) SELECT thing.* FROM thing JOIN one USING (id)",
    undefined,
  ],
] as const)("a statement %s answers the same prepared and not", async (_, text, values) => {
  const plain = await open(false);
  const connection = await open();
  const statement = values === undefined ? { text } : { text, values };
  const expected = await plain.run(statement);
  for (let index = 0; index < 4; index += 1) {
    const { rows, rowCount, command, fields } = await connection.run(statement);
    expect({ rows, rowCount, command, fields }).toEqual({
      rows: expected.rows,
      rowCount: expected.rowCount,
      command: expected.command,
      fields: expected.fields,
    });
  }
  expect(await prepared(connection)).toEqual([text]);
});

test.each([
  ["several statements in one text", { text: "SELECT 1; SELECT 2" }],
  ["a utility statement", { text: "SHOW work_mem" }],
  ["a setting", { text: "SET work_mem = '8MB'" }],
  ["an empty text", { text: "" }],
  ["a text of many kilobytes", { text: `SELECT 1 /* ${"x".repeat(20_000)} */` }],
])("%s is never prepared", async (_, statement) => {
  const connection = await open({ after: 1 });
  for (let index = 0; index < 3; index += 1) await connection.run(statement);
  expect(await prepared(connection)).toEqual([]);
});

test("a name that the application gives is the one that is used", async () => {
  const connection = await open({ after: 1 });
  for (let index = 0; index < 3; index += 1) await connection.run({ name: "own", text: BY_ID, values: [1] });
  expect(await prepared(connection)).toEqual([BY_ID]);
  expect((await connection.run({ text: "EXECUTE own (1)" })).rows).toHaveLength(1);
});

test("row modes and parsers of one call stay those of the call", async () => {
  const connection = await open({ after: 1 });
  const text = "SELECT 1 AS one, 2 AS two";
  expect((await connection.run({ text, rowMode: "array" })).rows).toEqual([[1, 2]]);
  expect((await connection.run({ text })).rows).toEqual([{ one: 1, two: 2 }]);
  const types = { getTypeParser: () => () => "parsed" };
  expect((await connection.run({ text, types })).rows).toEqual([{ one: "parsed", two: "parsed" }]);
  expect(await prepared(connection)).toEqual([text]);
});

test("no more are kept than the option says, and the one not used for longest is closed", async () => {
  const connection = await open({ after: 1, max: 3 });
  for (const number of [1, 2, 3]) await times(1, connection, `SELECT ${number}`);
  await times(1, connection, "SELECT 1");
  await times(1, connection, "SELECT 4");
  expect(await prepared(connection)).toEqual(["SELECT 1", "SELECT 3", "SELECT 4"]);
  for (let round = 0; round < 3; round += 1)
    for (let number = 1; number < 20; number += 1) await times(1, connection, `SELECT ${number}`);
  expect(await prepared(connection)).toEqual(["SELECT 17", "SELECT 18", "SELECT 19"]);
});

test("false prepares nothing", async () => {
  const connection = await open(false);
  await times(20, connection, BY_ID, [1]);
  expect(await prepared(connection)).toEqual([]);
});

test("a table that others change is read with its new columns, without an error", async () => {
  const connection = await open();
  await times(4, connection, BY_ID, [1]);
  await elsewhere("ALTER TABLE thing ADD COLUMN added int DEFAULT 7");
  for (let index = 0; index < 3; index += 1)
    expect((await connection.run({ text: BY_ID, values: [1] })).rows).toEqual([{ id: 1, name: "a", added: 7 }]);
  expect(await prepared(connection)).toEqual([BY_ID]);
});

test("a statement that vanished from the server is run all the same; where they go on vanishing none is prepared", async () => {
  const connection = await open();
  for (let round = 0; round < 6; round += 1) {
    await times(3, connection, BY_ID, [1]);
    await connection.run({ text: "DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$" });
  }
  await times(10, connection, BY_ID, [1]);
  expect(await prepared(connection)).toEqual([]);
});

test("a write whose preparation vanished takes effect once", async () => {
  const connection = await open();
  const insert = "INSERT INTO thing VALUES ($1, 'b')";
  await times(3, connection, insert, [2]);
  await connection.run({ text: "DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$" });
  await times(1, connection, insert, [2]);
  expect(await elsewhere("SELECT count(*)::int FROM thing WHERE id = 2")).toEqual([{ count: 4 }]);
});

test("one flush with BEGIN uses prepared statements as well, and survives when they are stale", async () => {
  const connection = await open();
  const insert = "INSERT INTO thing VALUES ($1, 'b') RETURNING *";
  for (let index = 0; index < 8; index += 1) {
    if (index === 4) await elsewhere("ALTER TABLE thing ADD COLUMN added int DEFAULT 7");
    if (index === 6) await connection.run({ text: "DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$" });
    const { rows } = await connection.begin({ text: "BEGIN" }, { text: insert, values: [index] });
    expect(rows[0]?.["id"]).toBe(index);
    expect(connection.status).toBe("transaction");
    await connection.run({ text: "COMMIT" });
  }
  expect(await elsewhere("SELECT count(*)::int FROM thing WHERE name = 'b'")).toEqual([{ count: 8 }]);
});

test.each(["DISCARD ALL", "DEALLOCATE ALL"])("after %s they are prepared anew", async (discard) => {
  const connection = await open();
  await times(4, connection, BY_ID, [1]);
  await connection.run({ text: discard });
  await times(1, connection, BY_ID, [1]);
  expect(await prepared(connection)).toEqual([BY_ID]);
});

test("literals are read by the settings of the moment, whoever had prepared the statement", async () => {
  const connection = await open({ after: 1 });
  const text = "SELECT '2020-01-01 12:00'::timestamptz = '2020-01-01 12:00+00'::timestamptz AS is_utc";
  const isUtc = async (): Promise<unknown> => (await connection.run({ text })).rows[0]?.["is_utc"];
  for (const zone of ["UTC", "Asia/Tokyo", "UTC"]) {
    await connection.run({ text: `SET TimeZone = '${zone}'` });
    for (let index = 0; index < 3; index += 1) expect(await isUtc()).toBe(zone === "UTC");
  }
});

test("a temporary table takes the place of the table in statements that were prepared before it", async () => {
  const connection = await open({ after: 1 });
  await times(3, connection, BY_ID, [1]);
  await connection.run({ text: "CREATE TEMP TABLE thing AS SELECT 1 AS id, 'temporary' AS name" });
  expect((await connection.run({ text: BY_ID, values: [1] })).rows).toEqual([{ id: 1, name: "temporary" }]);
});

test("errors of prepared statements are the server's, and cost nothing", async () => {
  const connection = await open({ after: 1 });
  for (let index = 0; index < 3; index += 1) {
    expect(await rejection(connection.run({ text: "SELECT 1 / $1::int", values: [0] }))).toMatchObject({
      code: "22012",
    });
    expect(await rejection(connection.run({ text: BY_ID, values: ["no number"] }))).toMatchObject({ code: "22P02" });
    expect(await rejection(connection.run({ text: "SELECT * FROM nowhere" }))).toMatchObject({ code: "42P01" });
    expect(await rejection(connection.run({ text: BY_ID, values: [1, 2] }))).toMatchObject({ code: "08P01" });
    const poison = {
      toPostgres: () => {
        throw new Error("no");
      },
    };
    expect(await rejection(connection.run({ text: BY_ID, values: [poison] }))).toBeInstanceOf(Error);
    expect((await connection.run({ text: BY_ID, values: [1] })).rows).toHaveLength(1);
  }
  expect(connection.status).toBe("idle");
});

test("a refusal that has nothing to do with the preparation is handed on", async () => {
  const connection = await open({ after: 1 });
  const text = "SELECT DISTINCT id FROM thing FOR UPDATE";
  for (let index = 0; index < 3; index += 1)
    expect(await rejection(connection.run({ text }))).toMatchObject({ code: "0A000" });
});

test("a statement that raises the code of a stale plan while it runs is not run again", async () => {
  const connection = await open({ after: 1 });
  await elsewhere("DROP SEQUENCE IF EXISTS tries; CREATE SEQUENCE tries");
  await elsewhere(`CREATE OR REPLACE FUNCTION refuse() RETURNS int LANGUAGE plpgsql AS $$
    BEGIN PERFORM nextval('tries'); RAISE EXCEPTION 'no' USING ERRCODE = '0A000'; END $$`);
  for (let index = 0; index < 3; index += 1)
    expect(await rejection(connection.run({ text: "SELECT refuse()" }))).toMatchObject({ code: "0A000" });
  expect(await elsewhere("SELECT last_value::int AS tries FROM tries")).toEqual([{ tries: 3 }]);
});

const usingPool = async (
  use: (pool: FailoverPool) => Promise<void>,
  maxStatements = 1000,
  exactlyOnce = false,
): Promise<void> => {
  await using pool = createPool({
    driver: postgres({ preparedStatements: { after: 1 } }),
    nodes: cluster.urls,
    pool: { max: 1 },
    replay: { maxStatements },
    exactlyOnce,
  });
  if (exactlyOnce) await elsewhere(pool.ledgerSchema());
  await use(pool);
};

test("in a transaction a stale statement has the transaction replayed", async () => {
  await usingPool(async (pool) => {
    for (let index = 0; index < 3; index += 1) await pool.query(BY_ID, [1]);
    await pool.transaction(async (transaction) => {
      await transaction.query("INSERT INTO thing VALUES (9, 'once')");
      expect((await transaction.query(BY_ID, [1])).rows).toEqual([{ id: 1, name: "a" }]);
    });
    await elsewhere("ALTER TABLE thing ADD COLUMN added int DEFAULT 7");
    await pool.transaction(async (transaction) => {
      await transaction.query("INSERT INTO thing VALUES (10, 'once')");
      expect((await transaction.query(BY_ID, [1])).rows).toEqual([{ id: 1, name: "a", added: 7 }]);
    });
    expect((await pool.query("SELECT count(*)::int FROM thing WHERE name = 'once'")).rows).toEqual([{ count: 2 }]);
    expect(pool.stats()).toMatchObject({ replays: 1, transactionsLost: 0 });
  });
});

test("the token of a commit whose preparation vanished is written all the same, and each write has one effect", async () => {
  const use = async (pool: FailoverPool): Promise<void> => {
    const vanish = (): Promise<unknown> => pool.query("DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$");
    const insert = (id: number) => ["INSERT INTO thing VALUES ($1, 'once')", [id]] as const;
    await pool.query(...insert(10));
    await vanish();
    await pool.query(...insert(11));
    await pool.transaction(async (transaction) => {
      await transaction.query("SELECT 1");
      await transaction.query("DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$");
    });
    await vanish();
    await pool.transaction((transaction) => transaction.query(...insert(12)));
    const { rows } = await pool.query("SELECT id FROM thing WHERE name = 'once' ORDER BY id");
    expect(rows).toEqual([{ id: 10 }, { id: 11 }, { id: 12 }]);
    expect(await elsewhere("SELECT count(*)::int AS tokens FROM mirrorpool_ledger")).toEqual([{ tokens: 4 }]); // each DO has none of its own
  };
  await usingPool(use, 1000, true);
});

test("where the transaction cannot be replayed the server's error is handed on", async () => {
  await usingPool(async (pool) => {
    for (let index = 0; index < 3; index += 1) await pool.query(BY_ID, [1]);
    await elsewhere("ALTER TABLE thing ADD COLUMN added int DEFAULT 7");
    const run = (): Promise<unknown> =>
      pool.transaction(async (transaction) => {
        await transaction.query("INSERT INTO thing VALUES (10, 'once')");
        await transaction.query(BY_ID, [1]);
      });
    expect(await rejection(run())).toMatchObject({ code: "0A000" });
    await run();
    expect((await pool.query("SELECT count(*)::int FROM thing WHERE name = 'once'")).rows).toEqual([{ count: 1 }]);
  }, 0);
});

test.each([
  ["preparedStatements: expected false or an object, got true", true],
  ["preparedStatements.max: expected a whole number from 1 to 10000, got 0", { max: 0 }],
  ["preparedStatements.after: expected a whole number from 1 to 1000, got 1.5", { after: 1.5 }],
  ["preparedStatements.uses: expected one of after, max, got an unknown option", { uses: 1 }],
])("options are checked: %s", (message, preparedStatements) => {
  expect(() => postgres({ preparedStatements: preparedStatements as PreparedStatementOptions })).toThrow(message);
});
