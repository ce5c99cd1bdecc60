import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { FailoverPool } from "@mirrorpool/core";
import { createCluster, type LabCluster, type LabNode } from "@mirrorpool/lab";
import { Pool } from "@mirrorpool/pg";
import pg from "pg";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import Cursor from "pg-cursor";
import QueryStream from "pg-query-stream";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { anyMirror, failOver, leases, mend, openCore, prepareWhere, rejection, soon, until } from "./support.ts";

let cluster: LabCluster;
let core: FailoverPool;
let pool: pg.Pool;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 2 });
  await prepareWhere(cluster);
  await cluster.primary().query(`CREATE TABLE many (id int); GRANT ALL ON many TO app;
    INSERT INTO many SELECT generate_series(1, 20000);
    CREATE TABLE copied (id int); GRANT ALL ON copied TO app`);
  await cluster.caughtUp();
});
afterAll(() => cluster?.close());

beforeEach(async () => {
  core = openCore(cluster, { timeouts: { statementMs: 20_000 } });
  await core.start();
  await until("all nodes to be seen", () => core.topology().nodes.every(({ status }) => status === "up"));
  pool = new Pool({ mirrorpool: core, idleTimeoutMillis: 0 });
  return async () => {
    try {
      await soon("the end of the pool", pool.end());
      await until("the last lease to end", () => leases(core) === 0);
    } finally {
      await core.close();
      await mend(cluster);
    }
  };
});

const MANY = "SELECT id FROM many ORDER BY id";
const ENDLESS = "SELECT a.id FROM many a, many b LIMIT 50000000";

/** Runs the same on a pool of `pg` and on ours. */
async function onBoth<T>(script: (client: pg.PoolClient) => Promise<T>): Promise<readonly [T, T]> {
  const original = new pg.Pool({ connectionString: cluster.primary().url });
  const results: T[] = [];
  for (const each of [original, pool]) {
    const client = await each.connect();
    results.push(await soon("the script", script(client)));
    client.release();
  }
  await original.end();
  return results as [T, T];
}

async function collect(rows: AsyncIterable<unknown>, limit: number = Number.POSITIVE_INFINITY): Promise<unknown[]> {
  const seen: unknown[] = [];
  for await (const row of rows) {
    seen.push(row);
    if (seen.length >= limit) break;
  }
  return seen;
}

async function copyIn(client: pg.PoolClient, lines: Iterable<string>): Promise<number> {
  const into = client.query(copyFrom("COPY copied FROM STDIN"));
  await pipeline(Readable.from(lines), into);
  return into.rowCount;
}

describe("as with pg.Pool:", () => {
  test("a cursor is read in parts, to its end, or closed before, and the client goes on", async () => {
    const [original, dropIn] = await onBoth(async (client) => {
      const seen: unknown[] = [];
      const cursor = client.query(new Cursor(`${MANY} LIMIT $1`, [5]));
      cursor.on("end", (result: pg.QueryResult) => seen.push("end", result.rowCount));
      for (let i = 0; i < 4; i += 1) seen.push(await cursor.read(2));
      const second = client.query(new Cursor(MANY, [], { rowMode: "array" }));
      seen.push(await second.read(1));
      await second.close();
      seen.push((await client.query("SELECT 1 AS still")).rows);
      await second.close();
      const empty = client.query(new Cursor("SELECT id FROM many WHERE id < 0"));
      seen.push(await empty.read(10));
      return seen;
    });
    expect(dropIn).toEqual(original);
  });

  test("errors of a cursor are those of the database, and the client goes on", async () => {
    const [original, dropIn] = await onBoth(async (client) => {
      const seen: unknown[] = [];
      for (const text of ["SELECT nothing", "SELECT 1/(3 - n) AS n FROM generate_series(1, 5) AS n"]) {
        const cursor = client.query(new Cursor(text));
        for (let i = 0; i < 4; i += 1) {
          const read = cursor.read(2).catch((error: unknown) => error);
          const answer = await read;
          seen.push(answer instanceof pg.DatabaseError ? answer.code : answer);
        }
        seen.push((await client.query("SELECT 1 AS still")).rows);
      }
      return seen;
    });
    expect(dropIn).toEqual(original);
  });

  test("a query stream delivers all rows, or as many as are wanted", async () => {
    const [original, dropIn] = await onBoth(async (client) => [
      await collect(client.query(new QueryStream(MANY, [], { batchSize: 100 }))),
      await collect(client.query(new QueryStream(MANY)), 150),
      (await client.query("SELECT 1 AS still")).rows,
    ]);
    expect(dropIn).toEqual(original);
  });

  test("COPY goes both ways, and its errors are those of the database", async () => {
    const [original, dropIn] = await onBoth(async (client) => {
      await client.query("TRUNCATE copied");
      const seen: unknown[] = [await copyIn(client, ["1\n", "2\n", "3\n"])];
      seen.push(await rejection(copyIn(client, ["4\n", "no number\n"])).then(({ code }) => code));
      seen.push((await client.query("SELECT count(*)::int FROM copied")).rows);
      const out = client.query(copyTo("COPY (SELECT * FROM many ORDER BY id) TO STDOUT"));
      const chunks = (await collect(out)) as Buffer[];
      seen.push(Buffer.concat(chunks).toString().split("\n").length, out.rowCount);
      seen.push(await rejection(collect(client.query(copyTo("COPY nothing TO STDOUT")))).then(({ code }) => code));
      seen.push((await client.query("SELECT 1 AS still")).rows);
      return seen;
    });
    expect(dropIn).toEqual(original);
  });

  test("a COPY that the application gives up has no effect, and the client goes on", async () => {
    const [original, dropIn] = await onBoth(async (client) => {
      await client.query("TRUNCATE copied");
      const into = client.query(copyFrom("COPY copied FROM STDIN"));
      into.write("1\n");
      const closed = new Promise((resolve) => into.once("close", resolve));
      into.on("error", () => {});
      into.destroy(new Error("enough"));
      await closed;
      return (await client.query("SELECT count(*)::int FROM copied")).rows;
    });
    expect(dropIn).toEqual(original);
  });
});

test("a stream that is closed before its turn never begins", async () => {
  const client = await pool.connect();
  const first = client.query("SELECT 1 AS one");
  const stream = client.query(new QueryStream(MANY));
  stream.destroy();
  await first;
  expect((await soon("the next statement", client.query("SELECT 1 AS one"))).rows).toEqual([{ one: 1 }]);
  client.release();
});

test("a stream that is a read runs on a mirror", async () => {
  const client = await pool.connect();
  const [row] = await collect(client.query(new QueryStream("SELECT name FROM answering_node")));
  expect(cluster.mirrors().map(({ name }) => name)).toContain((row as { readonly name: string }).name);
  client.release();
});

test("a COPY that only reads runs on a mirror, and one that is lost before its first byte on another node", async () => {
  await using lonely = await openOnOneMirror();
  const { pool, mirror } = lonely;
  const copyOut = async (source: string): Promise<string> => {
    const client = await pool.connect();
    const chunks = await collect(client.query(copyTo(`COPY (${source}) TO STDOUT`)));
    client.release();
    return Buffer.concat(chunks as Buffer[])
      .toString()
      .trim();
  };
  expect(await copyOut("SELECT name FROM answering_node")).toBe(mirror.name);
  await mirror.proxy.halfOpen("down");
  const copying = copyOut("SELECT name FROM answering_node WHERE name <> 'nobody'");
  await arrived(mirror, "COPY %nobody%");
  await mirror.proxy.reset();
  expect(await soon("the COPY", copying)).toBe(cluster.primary().name);
});

/** A pool on the primary and one mirror: where that is, all reads go there. */
async function openOnOneMirror(): Promise<{ readonly pool: pg.Pool; readonly mirror: LabNode } & AsyncDisposable> {
  const mirror = anyMirror(cluster);
  const nodes = [cluster.primary(), mirror].map(({ name, url }) => ({ name, url }));
  const core = openCore(cluster, { nodes, timeouts: { statementMs: 20_000 } });
  await core.start();
  await until("both nodes to be seen", () => core.topology().nodes.every(({ status }) => status === "up"));
  const dropIn = new Pool({ mirrorpool: core });
  return {
    pool: dropIn,
    mirror,
    [Symbol.asyncDispose]: async () => {
      await mirror.proxy.heal();
      await soon("the end of the pool", dropIn.end());
      await core.close();
    },
  };
}

/** A statement of the application is with the server. */
async function arrived(node: LabNode, like: string): Promise<void> {
  await until(`a statement like ${like} to arrive`, async () => {
    const found = await node.query("SELECT 1 FROM pg_stat_activity WHERE usename = 'app' AND query LIKE $1", [like]);
    return found.length > 0;
  });
}

test("a COPY whose node dies in the middle of its rows is not restarted", async () => {
  const client = await pool.connect();
  const reading = rejection(
    (async () => {
      let bytes = 0;
      for await (const chunk of client.query(copyTo(`COPY (${ENDLESS}) TO STDOUT`))) {
        if (bytes === 0) await killNodeOf(client);
        bytes += (chunk as Buffer).length;
      }
    })(),
  );
  expect(await soon("the COPY", reading)).toMatchObject({ code: "STREAM_LOST" });
  client.release();
});

test("a stream is not cut by the deadline of a call, however slowly it is read", async () => {
  await using impatient = await openImpatient();
  const client = await impatient.pool.connect();
  const cursor = client.query(new Cursor(MANY));
  expect(await cursor.read(1)).toHaveLength(1);
  await sleep(2 * IMPATIENT_MS);
  expect(await cursor.read(1)).toEqual([{ id: 2 }]);
  await cursor.close();
  client.release();
});

const IMPATIENT_MS = 1_000;

/** A pool whose statements have little time. */
async function openImpatient(): Promise<{ readonly pool: pg.Pool } & AsyncDisposable> {
  const impatient = openCore(cluster, { timeouts: { statementMs: IMPATIENT_MS } });
  await impatient.start({ timeoutMs: 20_000 });
  const dropIn = new Pool({ mirrorpool: impatient });
  return {
    pool: dropIn,
    [Symbol.asyncDispose]: async () => {
      await soon("the end of the pool", dropIn.end());
      await impatient.close();
    },
  };
}

test("until it has begun to answer a stream is bounded by the deadline", async () => {
  await using impatient = await openImpatient();
  const client = await impatient.pool.connect();
  const locker = await pool.connect();
  await locker.query("BEGIN");
  await locker.query("LOCK TABLE copied");
  const copying = rejection(copyIn(client, ["1\n"]));
  expect(await soon("the COPY", copying)).toMatchObject({ code: "COMMIT_UNKNOWN" });
  await locker.query("ROLLBACK");
  locker.release();
  client.release();
});

test("rows are not collected beyond what is read: the server waits", async () => {
  const client = await pool.connect();
  await client.query("BEGIN"); // its position tells how far it is
  await client.query("CREATE TEMPORARY SEQUENCE seen");
  const stream = client.query(new QueryStream("SELECT nextval('seen')::int AS n FROM many", [], { batchSize: 10 }));
  expect(await collect(stream, 25)).toHaveLength(25);
  const { rows } = await client.query<{ n: number }>("SELECT last_value::int AS n FROM seen");
  expect(rows[0]?.n).toBeLessThan(100);
  await client.query("ROLLBACK");
  client.release();
});

test("a COPY that nobody reads from any more gives its connection back", async () => {
  const client = await pool.connect();
  const out = client.query(copyTo(`COPY (${ENDLESS}) TO STDOUT`));
  await collect(out, 1);
  expect(out.destroyed).toBe(true);
  expect((await soon("the next statement", client.query("SELECT 1 AS one"))).rows).toEqual([{ one: 1 }]);
  client.release();
});

test("a cursor that is left open when its client is released gives its connection back", async () => {
  const client = await pool.connect();
  const cursor = client.query(new Cursor(MANY));
  expect(await cursor.read(1)).toHaveLength(1);
  client.release();
  await until("the lease to end", () => leases(core) === 0);
  expect(await rejection(cursor.read(1))).toBeInstanceOf(Error);
});

/** The node that the client is bound to. */
async function nodeOf(client: pg.PoolClient): Promise<LabNode> {
  const pid = (client as unknown as { readonly processID: number }).processID;
  for (const node of cluster.nodes) {
    const found = await node.query("SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND usename = 'app'", [pid]);
    if (found.length > 0) return node;
  }
  throw new Error("no node has the client's session");
}

async function killNodeOf(client: pg.PoolClient): Promise<string> {
  const node = await nodeOf(client);
  await node.kill();
  return node.name;
}

test("a stream whose node dies is not restarted: an error names the node and the reason", async () => {
  const client = await pool.connect();
  const cursor = client.query(new Cursor(MANY));
  expect(await cursor.read(3)).toHaveLength(3);
  const node = await killNodeOf(client);
  const error = await soon("the next read", rejection(cursor.read(3)));
  expect(error).toMatchObject({ name: "StreamLostError", code: "STREAM_LOST", node });
  expect(error.cause).toBeInstanceOf(Error);
  expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  client.release();
});

test("a query stream whose node dies ends with the same error", async () => {
  const client = await pool.connect();
  const stream = client.query(new QueryStream(MANY, [], { batchSize: 10 }));
  const reading = rejection(
    (async () => {
      let count = 0;
      for await (const _ of stream) {
        count += 1;
        if (count === 25) await killNodeOf(client);
      }
    })(),
  );
  expect(await soon("the stream", reading)).toMatchObject({ code: "STREAM_LOST" });
  client.release();
});

test("a stream on a connection that died while it was idle begins on another one", async () => {
  const client = await pool.connect();
  await client.query("SELECT 1");
  await killNodeOf(client);
  expect(await soon("the stream", collect(client.query(new QueryStream(`${MANY} LIMIT 3`))))).toHaveLength(3);
  client.release();
});

test("a cursor that has not been answered yet is opened on another node, and its pending read with it", async () => {
  await using lonely = await openOnOneMirror();
  const { pool, mirror } = lonely;
  const client = await pool.connect();
  await client.query("SELECT 1");
  expect(await nodeOf(client)).toBe(mirror);
  await mirror.proxy.halfOpen("down");
  const cursor = client.query(new Cursor("SELECT name FROM answering_node LIMIT 3"));
  const reading = cursor.read(10);
  await arrived(mirror, "%answering_node LIMIT 3");
  await mirror.proxy.reset();
  expect(await soon("the read", reading)).toEqual([{ name: cluster.primary().name }]);
  client.release();
});

test("a COPY into a primary that dies is of unknown outcome", async () => {
  const client = await pool.connect();
  await client.query("TRUNCATE copied");
  const into = client.query(copyFrom("COPY copied FROM STDIN"));
  const failed = new Promise<unknown>((resolve) => into.once("error", resolve));
  into.write("1\n");
  await until("the COPY to run", async () => leases(core) === 1);
  await sleep(50);
  await failOver(cluster);
  expect(await soon("the error", failed)).toMatchObject({ code: "COMMIT_UNKNOWN" });
  client.release();
});

test("a cursor in a transaction is lost with it", async () => {
  const client = await pool.connect();
  await client.query("BEGIN");
  const cursor = client.query(new Cursor(MANY));
  expect(await cursor.read(3)).toHaveLength(3);
  await failOver(cluster);
  expect(await soon("the read", rejection(cursor.read(3)))).toMatchObject({ code: "TRANSACTION_LOST" });
  expect(client.getTransactionStatus()).toBe("E");
  await client.query("ROLLBACK");
  expect(client.getTransactionStatus()).toBe("I");
  expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  client.release();
});

test("a mirror that is cut off in the middle of a stream costs nobody else anything", async () => {
  const client = await pool.connect();
  const cursor = client.query(new Cursor(MANY));
  await cursor.read(1);
  const mirror = anyMirror(cluster);
  await mirror.proxy.reset();
  for (let i = 0; i < 20; i += 1) await pool.query(`${MANY} LIMIT 1`);
  await cursor.close();
  client.release();
});
