import { setImmediate as immediate } from "node:timers/promises";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openPool, soon } from "./support.ts";

/** Whatever an application may do with a pool; both pools must show it the same. */
type Script = (pool: pg.Pool, log: (...seen: unknown[]) => void) => Promise<unknown>;

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 1 });
  await cluster.primary().query("CREATE TABLE product (id int PRIMARY KEY, name text)");
  await cluster.primary().query("GRANT ALL ON product TO app");
});
afterAll(() => cluster?.close());

/** What an application can see of a value, without what no two connections have in common. */
function show(seen: unknown): unknown {
  if (seen instanceof pg.DatabaseError) {
    const { code, message, severity, position, constraint, detail } = seen;
    return { databaseError: { code, message, severity, position, constraint, detail } };
  }
  if (seen instanceof Error) return { error: seen.message, name: seen.name };
  if (seen instanceof pg.Result) {
    const { command, rowCount, rows, fields, oid } = seen;
    const columns = fields.map(({ name, dataTypeID, format }) => ({ name, dataTypeID, format }));
    return { command, rowCount, rows, columns, oid, keys: Object.keys(seen).sort() };
  }
  if (Array.isArray(seen)) return seen.map(show);
  return seen;
}

async function observe(open: () => pg.Pool, script: Script): Promise<readonly unknown[]> {
  await cluster.primary().query("DELETE FROM product");
  const pool = open();
  const seen: unknown[] = [];
  try {
    const seeing = script(pool, (...values) => void seen.push(...values.map(show)));
    await soon("the script", seeing, 10_000);
  } finally {
    if (!pool.ending) await soon("the pool", pool.end(), 10_000);
  }
  return seen;
}

const settled = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);

/** What a callback was called with. */
function called(begin: (callback: (...args: unknown[]) => void) => unknown): Promise<unknown> {
  return new Promise((resolve) => begin((...args) => resolve(args)));
}

const scripts: Readonly<Record<string, Script>> = {
  "text, by promise and callback": async (pool, log) => {
    log(await pool.query("SELECT 1 AS one, 'two' AS two"));
    log(await called((done) => pool.query("SELECT 1 AS one", done)));
    const client = await pool.connect();
    log(await client.query("SELECT 1 AS one"));
    log(await called((done) => client.query("SELECT 1 AS one", done)));
    client.release();
  },
  "text and values, by promise and callback": async (pool, log) => {
    const text =
      "SELECT $1::int AS n, $2::text AS t, $3::jsonb AS j, $4::int[] AS a, $5::bytea AS b, $6::timestamptz AS d";
    const values = [7, null, { deep: [1] }, [1, 2], Buffer.from("bytes"), new Date(0)];
    log(await pool.query(text, values));
    log(await called((done) => pool.query(text, values, done)));
    const client = await pool.connect();
    log(await client.query(text, values), await called((done) => client.query(text, values, done)));
    client.release();
  },
  "config objects": async (pool, log) => {
    log(await pool.query({ text: "SELECT $1::int AS n", values: [1] }));
    log(await pool.query({ text: "SELECT $1::int AS n" }, [2]));
    log(await called((done) => pool.query({ text: "SELECT $1::int AS n", values: [3] }, done)));
    const client = await pool.connect();
    log(await called((done) => client.query({ text: "SELECT 4 AS n", callback: done } as pg.QueryConfig)));
    class Template {
      readonly values = [5];
      get text(): string {
        return `SELECT $${this.values.length}::int AS n`;
      }
    }
    log(await client.query(new Template()));
    client.release();
  },
  "named statements, again and again": async (pool, log) => {
    const client = await pool.connect();
    for (let i = 0; i < 3; i += 1) log(await client.query({ name: "by-id", text: "SELECT $1::int AS n", values: [i] }));
    log(await settled(client.query({ name: "by-id", text: "SELECT $1::int AS other", values: [1] })));
    log(await client.query("SELECT 1 AS still"));
    client.release();
  },
  "rows as arrays": async (pool, log) => {
    log(await pool.query({ text: "SELECT 1 AS a, 2 AS a", rowMode: "array" }));
    const client = await pool.connect();
    log(await client.query({ text: "SELECT $1::int AS a", values: [3], rowMode: "array" }));
    client.release();
  },
  "type parsers of a query and of a client": async (pool, log) => {
    const types = { getTypeParser: () => (text: unknown) => `<${String(text)}>` } as unknown as pg.CustomTypesConfig;
    log(await pool.query({ text: "SELECT 1 AS n, now() = now() AS b", types }));
    const client = await pool.connect();
    client.setTypeParser(23, (text) => -Number(text));
    log(await client.query("SELECT 5 AS n"), client.getTypeParser(23)("5"));
    log(await client.query({ text: "SELECT 5 AS n", types }));
    client.release();
    log(await client.query("SELECT 6 AS n"));
  },
  "several statements in one text": async (pool, log) => {
    log(await pool.query("SELECT 1 AS a; SELECT 2 AS b UNION SELECT 3 ORDER BY b; INSERT INTO product VALUES (1)"));
    log(await settled(pool.query("SELECT 1; SELECT 1/0; SELECT 3")));
    log(await pool.query("BEGIN; INSERT INTO product VALUES (2); COMMIT"));
  },
  "commands and counts": async (pool, log) => {
    log(await pool.query("INSERT INTO product VALUES (1, 'one'), (2, 'two') RETURNING id"));
    log(await pool.query("UPDATE product SET name = 'x'"));
    log(await pool.query("DELETE FROM product WHERE id = $1", [1]));
    log(await pool.query(""), await pool.query("-- nothing"));
    log(await pool.query("SET work_mem = '9MB'"));
  },
  "errors of the database, untouched": async (pool, log) => {
    await pool.query("INSERT INTO product VALUES (1)");
    log(await settled(pool.query("INSERT INTO product VALUES (1)")));
    log(await called((done) => pool.query("SELEC 1", done)));
    const client = await pool.connect();
    log(await settled(client.query("SELECT 1/0")), await called((done) => client.query("SELECT $1::int", ["x"], done)));
    log(await settled(client.query({ name: "bad", text: "SELECT nothing" })));
    log(await client.query("SELECT 1 AS still"));
    client.release();
  },
  "calls that make no sense": async (pool, log) => {
    const client = await pool.connect();
    const attempt = (call: () => unknown): void => {
      try {
        call();
      } catch (error) {
        log(error);
      }
    };
    attempt(() => client.query(null as never));
    attempt(() => client.query("SELECT 1", [], "no function" as never));
    log(await called((done) => pool.query(done as never)));
    client.release();
    attempt(() => client.release());
    await pool.end();
    log(await settled(pool.end()), await settled(pool.query("SELECT 1")), await settled(pool.connect()));
    log(pool.ending, pool.ended);
  },
  "query objects with events": async (pool, log) => {
    const client = await pool.connect();
    const follow = (query: pg.Query): Promise<unknown> =>
      new Promise((resolve) => {
        query.on("row", (row, result) => log("row", row, result?.fields.length));
        query.on("error", (error) => resolve(log("error", error)));
        query.on("end", (result) => resolve(log("end", result)));
      });
    const query = new pg.Query("SELECT n FROM generate_series(1, 3) AS n");
    log(client.query(query) === query);
    await follow(query);
    const failing = new pg.Query("SELECT 1/n AS n FROM generate_series(1, -1, -1) AS n");
    client.query(failing);
    await follow(failing);
    log(await called((done) => client.query(new pg.Query("SELECT 1 AS n") as never, done as never)));
    log(await client.query("SELECT 2 AS still"));
    client.release();
  },
  "a transaction, its status and its errors": async (pool, log) => {
    const client = await pool.connect();
    const step = async (text: string): Promise<void> => {
      const answer = await settled(client.query(text));
      log(answer);
      // after an error that of `pg` is the one before, or not, depending on how the answer was cut into packets
      if (!(answer instanceof Error)) log(client.getTransactionStatus());
    };
    for (const text of [
      "BEGIN",
      "INSERT INTO product VALUES (1)",
      "SAVEPOINT a",
      "INSERT INTO product VALUES (1)",
      "SELECT 1",
      "ROLLBACK TO a",
      "COMMIT",
      "BEGIN",
      "SELECT 1/0",
      "COMMIT",
      "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY",
      "INSERT INTO product VALUES (2)",
      "ROLLBACK",
    ])
      await step(text);
    client.release();
  },
  "statements given without waiting": async (pool, log) => {
    const client = await pool.connect();
    const texts = ["BEGIN", "INSERT INTO product VALUES (1)", "SELECT 1/0", "SELECT 2", "ROLLBACK", "SELECT 3 AS n"];
    log(...(await Promise.all(texts.map((text) => settled(client.query(text))))));
    client.release();
    log(...(await Promise.all([1, 2, 3].map((n) => pool.query("SELECT $1::int AS n", [n])))));
  },
  notices: async (pool, log) => {
    const client = await pool.connect();
    client.on("notice", (notice) => log(notice.message));
    await client.query("DO $$ BEGIN RAISE NOTICE 'first'; RAISE WARNING 'second'; END $$");
    await client.query("DROP TABLE IF EXISTS nothing_of_the_kind");
    client.release();
  },
  "connect with a callback": async (pool, log) => {
    await new Promise<void>((resolve) => {
      pool.connect((error, client, release) => {
        log(error, typeof client?.query, typeof release);
        client?.query("SELECT 1 AS n", (failure: unknown, result: unknown) => {
          log(failure, result);
          release();
          resolve();
        });
      });
    });
  },
  "events and counters of the pool": async (pool, log) => {
    const counts = () => [pool.totalCount, pool.idleCount, pool.waitingCount, pool.expiredCount];
    for (const event of ["connect", "acquire"] as const) pool.on(event, () => log(event));
    // pg tells of it when the socket has closed, which may be before or after the next client's events
    let removed = 0;
    pool.on("remove", () => {
      removed += 1;
    });
    pool.on("release", (error) => log("release", Boolean(error)));
    log(...counts());
    const one = await pool.connect();
    const two = await pool.connect();
    const three = pool.connect();
    log(...counts());
    one.release();
    log((await three) === one, ...counts());
    two.release(true);
    log(...counts());
    one.release(new Error("done with it"));
    await pool.query("SELECT 1");
    while (removed < 2) await immediate();
    log(...counts(), removed);
  },
  "what a client tells of itself": async (pool, log) => {
    const client = (await pool.connect()) as pg.PoolClient & Record<string, unknown>;
    log(client instanceof pg.Client, client["_connected"], client["_queryable"], client["_ending"]);
    log(client.getTransactionStatus(), client.escapeIdentifier('a"b'), client.escapeLiteral("a'b"));
    client.on("drain", () => log("drain"));
    await client.query("SELECT 1");
    client.release();
    log(pool instanceof pg.Pool, pool.options.max);
  },
  "settings made when the pool connects": async (pool, log) => {
    pool.on("connect", (client) => void client.query("SET application_name = 'hook'"));
    const text = "SELECT current_setting('application_name') AS name";
    for (let i = 0; i < 3; i += 1) log(await pool.query(text));
  },
};

describe("what an application sees is the same as with pg.Pool:", () => {
  test.each(Object.entries(scripts))("%s", async (_, script) => {
    const original = await observe(() => new pg.Pool({ connectionString: cluster.primary().url, max: 2 }), script);
    const dropIn = await observe(() => openPool(cluster, { max: 2 }), script);
    expect(original.length).toBeGreaterThan(0);
    expect(dropIn).toEqual(original);
  });
});
