import { CommitUnknownError, type FailoverPool, SplitBrainError, TransactionLostError } from "@mirrorpool/core";
import { createCluster, type LabCluster, type LabNode } from "@mirrorpool/lab";
import { raw } from "mysql2";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { anyMirror, countRows, mend, notRunning, promoteMirror, running, whereRuns } from "./support/cluster.ts";
import { rejection, settle } from "./support/outcome.ts";
import { openPool, type RecordedEvent, record, underWay } from "./support/pool.ts";
import { mysqlServers } from "./support/system.ts";
import { until } from "./support/until.ts";

describe.each(mysqlServers)("on %s", (server) => {
  let cluster: LabCluster;

  beforeAll(async () => {
    cluster = await createCluster({ server, settings: { log_bin_trust_function_creators: "1" } });
    await using pool = openPool(cluster);
    await pool.query("CREATE TABLE entry (id int PRIMARY KEY)");
    await pool.query("CREATE TABLE fact (id int AUTO_INCREMENT PRIMARY KEY, told_by varchar(20))");
    await cluster.caughtUp();
  }, 120_000);
  afterEach(() => mend(cluster));
  afterAll(() => cluster?.close());

  const writeMany = async (pool: FailoverPool, toldBy: string): Promise<void> => {
    await Promise.all(Array.from({ length: 50 }, () => pool.query("INSERT INTO fact (told_by) VALUES (?)", [toldBy])));
  };
  const isFenced = (events: readonly RecordedEvent[], node: LabNode): boolean =>
    events.some((event) => event.name === "node-fenced" && event.node === node.name);

  const reignsOn = async (node: LabNode): Promise<string[]> => {
    const rows = await node.query<{ token: string }>(
      "SELECT token FROM mirrorpool_ledger WHERE token LIKE 'reign-%' ORDER BY token",
    );
    return rows.map(({ token }) => token);
  };

  /** Freezes the primary and promotes a mirror. */
  const depose = async (): Promise<LabNode> => {
    const old = cluster.primary();
    await old.freeze();
    await promoteMirror(cluster);
    return old;
  };

  test("a write that comes while there is no primary waits for the new one", async () => {
    await using pool = openPool(cluster);
    const events = record(pool);
    await pool.start();
    const old = cluster.primary();
    await old.kill();
    const write = settle(pool.query("INSERT INTO entry VALUES (1)"));
    const promoted = await promoteMirror(cluster);
    expect((await write).error).toBeUndefined();
    expect(await countRows(promoted, "entry", "id = 1")).toBe(1);
    expect(events).toContainEqual(
      expect.objectContaining({ name: "primary-changed", node: promoted.name, previous: old.name, reason: "failover" }),
    );
    expect(pool.stats()).toMatchObject({ failovers: 1, commitUnknown: 0 });
  });

  const losses: readonly (readonly [string, (node: LabNode) => Promise<unknown>])[] = [
    ["is killed", (node) => node.kill()],
    ["freezes", (node) => node.freeze()],
    ["ends the connection", (node) => node.terminateBackends()],
    ["is reset by the network", async (node) => node.proxy.dropConnections()],
    ["falls into a black hole", (node) => node.proxy.blackHole()],
    ["shuts down", (node) => node.stop()],
  ];

  test.each(losses)("a read in flight on a mirror that %s is answered by another node", async (_, lose) => {
    await using pool = openPool(cluster);
    const read = settle(pool.query<{ answer: number }>("SELECT 42 AS answer, SLEEP(1) AS in_flight"));
    const mirror = await whereRuns(cluster.mirrors(), "in_flight");
    await lose(mirror);
    expect((await read).value?.rows[0]?.answer).toBe(42);
    await until("the pool to come to rest", () => underWay(pool) === 0);
  });

  test("a write that was certainly not sent goes to the new primary", async () => {
    await using pool = openPool(cluster);
    await pool.start();
    const old = cluster.primary();
    await old.proxy.refuse();
    const writes = Array.from({ length: 20 }, (_, i) => settle(pool.query("INSERT INTO entry VALUES (?)", [100 + i])));
    await until("the writes to wait", () => pool.stats().waitingForNode === 20);
    const promoted = await promoteMirror(cluster);
    for (const { error } of await Promise.all(writes)) expect(error).toBeUndefined();
    expect(await countRows(promoted, "entry", "id BETWEEN 100 AND 119")).toBe(20);
    expect(await countRows(old, "entry", "id BETWEEN 100 AND 119")).toBe(0);
  });

  test("a write in flight on a primary that is killed is of unknown fate and never run again", async () => {
    await using pool = openPool(cluster);
    const events = record(pool);
    const write = settle(pool.query("INSERT INTO entry SELECT 200 + SLEEP(5)"));
    const old = cluster.primary();
    await running(old, "SELECT 200");
    await old.kill();
    const promoted = await promoteMirror(cluster);
    const { error } = await write;
    expect(error).toBeInstanceOf(CommitUnknownError);
    expect(error).toMatchObject({ code: "COMMIT_UNKNOWN", node: old.name, retryable: false });
    await pool.query("INSERT INTO entry VALUES (201)");
    expect(await countRows(promoted, "entry", "id = 200")).toBe(0);
    expect(events).toContainEqual({ name: "commit-unknown", node: old.name, command: "INSERT" });
  });

  test("a write of which only the answer is lost is of unknown fate, and there exactly once", async () => {
    await using pool = openPool(cluster);
    await pool.query("INSERT INTO fact (told_by) VALUES ('heard')");
    const old = cluster.primary();
    await old.proxy.halfOpen("down");
    expect(await rejection(pool.query("INSERT INTO fact (told_by) VALUES ('unheard')"))).toBeInstanceOf(
      CommitUnknownError,
    );
    await old.proxy.heal();
    await pool.query("INSERT INTO fact (told_by) VALUES ('heard')");
    expect(await countRows(old, "fact", "told_by = 'unheard'")).toBe(1);
  });

  test("an old primary that wakes up is fenced for good and gets no write, under load", async () => {
    await using pool = openPool(cluster);
    const events = record(pool);
    await writeMany(pool, "before");
    await cluster.caughtUp();
    const old = await depose();
    const promoted = cluster.primary();
    await until("the pool to follow", () => pool.topology().primary === promoted.name);
    await writeMany(pool, "deposed");
    await old.thaw();
    let isOver = false;
    const load = (async () => {
      while (!isOver) await writeMany(pool, "after");
    })();
    await until("the old primary to be fenced", () => isFenced(events, old));
    await until("it to be seen alive", () =>
      pool.topology().nodes.some(({ id, status }) => id === old.name && status === "up"),
    );
    await writeMany(pool, "after");
    isOver = true;
    await load;
    expect(pool.topology().primary).toBe(promoted.name);
    expect(await countRows(old, "fact", "told_by IN ('deposed', 'after')")).toBe(0);
    expect(await countRows(promoted, "fact", "told_by = 'deposed'")).toBe(50);
    expect(pool.stats()).toMatchObject({ failovers: 1, commitUnknown: 0 });
  });

  test("a transaction and a session that were open on the old primary never write to it again", async () => {
    await using pool = openPool(cluster);
    await using session = await pool.connect();
    await using pinned = await pool.connect();
    await session.query("INSERT INTO fact (told_by) VALUES ('session')");
    await pinned.query("SELECT GET_LOCK('one', 1)");
    await pinned.query("BEGIN");
    await pinned.query("INSERT INTO fact (told_by) VALUES ('pinned')");
    let old = cluster.primary();
    const transaction = settle(
      pool.transaction(async (tx) => {
        await tx.query("INSERT INTO fact (told_by) VALUES ('transaction')");
        await cluster.caughtUp();
        old = await depose();
        await until("the pool to follow", () => pool.topology().primary === cluster.primary().name);
        await old.thaw();
        await tx.query("INSERT INTO fact (told_by) VALUES ('transaction')");
      }),
    );
    expect((await transaction).error).toBeInstanceOf(TransactionLostError);
    await session.query("INSERT INTO fact (told_by) VALUES ('session')");
    expect(await rejection(pinned.query("INSERT INTO fact (told_by) VALUES ('pinned')"))).toBeInstanceOf(
      TransactionLostError,
    );
    expect(await countRows(old, "fact", "told_by = 'session'")).toBe(1);
    expect(await countRows(old, "fact", "told_by IN ('pinned', 'transaction')")).toBe(0);
    expect(await countRows(cluster.primary(), "fact", "told_by = 'session'")).toBe(2);
  });

  test("two claims stop the writes of a new pool, until the later one has written and that can be told", async () => {
    await using known = openPool(cluster);
    await known.start();
    await cluster.caughtUp();
    const old = await depose();
    await until("the known pool to follow", () => known.topology().primary === cluster.primary().name);
    await old.thaw();
    {
      await using pool = openPool(cluster, { timeouts: { failoverMs: 1_000 } });
      expect(await rejection(pool.query("INSERT INTO fact (told_by) VALUES ('split')"))).toBeInstanceOf(
        SplitBrainError,
      );
    }
    // who has seen the old one reign goes on with the new one, whose first write tells the others
    await known.query("INSERT INTO fact (told_by) VALUES ('first')");
    await using pool = openPool(cluster, { timeouts: { failoverMs: 1_000 } });
    if (server === "mariadb") {
      await writeMany(pool, "fresh pool");
      expect(pool.topology().primary).toBe(cluster.primary().name);
    } else {
      // both have been primary before, and sets of GTIDs have no order
      expect(await rejection(writeMany(pool, "fresh pool"))).toBeInstanceOf(SplitBrainError);
    }
    expect(await countRows(old, "fact", "told_by IN ('split', 'first', 'fresh pool')")).toBe(0);
  });

  test("an old primary with writes that were never mirrored gets none of a new pool, though it has more than the new one", async () => {
    await using lossy = await createCluster({ server, mirrors: 1 });
    const old = lossy.primary();
    await old.query("CREATE TABLE fact (told_by varchar(20))");
    await lossy.caughtUp();
    for (const mirror of lossy.mirrors()) await mirror.replicate(false);
    await old.query("INSERT INTO fact VALUES ('never mirrored')");
    await old.freeze();
    await lossy.promote("node2", { follow: false });
    await old.thaw();
    await using pool = openPool(lossy, { timeouts: { failoverMs: 1_000 } });
    expect(await rejection(pool.query("INSERT INTO fact VALUES ('astray')"))).toBeInstanceOf(SplitBrainError);
    expect(await countRows(old, "fact", "told_by = 'astray'")).toBe(0);
  });

  test("with the ledger, also a process that was not there tells a primary from the one before it, whatever that has written", async () => {
    await using lossy = await createCluster({ server, mirrors: 1 });
    await using known = openPool(lossy, { exactlyOnce: true });
    const old = lossy.primary();
    await known.query(known.ledgerSchema());
    await known.query("CREATE TABLE fact (told_by varchar(20))");
    await until("its reign to be noted", async () => (await reignsOn(old)).length === 1);
    await lossy.caughtUp();
    for (const mirror of lossy.mirrors()) await mirror.replicate(false);
    await old.query("INSERT INTO fact VALUES ('never mirrored')");
    await old.freeze();
    await lossy.promote("node2", { follow: false });
    const promoted = lossy.primary();
    await until("the known pool to follow", () => known.topology().primary === promoted.name);
    await known.query("INSERT INTO fact VALUES ('known')");
    await until("its reign to be noted", async () => (await reignsOn(promoted)).length === 2);
    await old.thaw();
    {
      await using pool = openPool(lossy, { timeouts: { failoverMs: 1_000 } });
      expect(await rejection(pool.query("INSERT INTO fact VALUES ('astray')"))).toBeInstanceOf(SplitBrainError);
    }
    await using pool = openPool(lossy, { exactlyOnce: true });
    await pool.query("INSERT INTO fact VALUES ('fresh pool')");
    expect(pool.topology().primary).toBe(promoted.name);
    expect(await countRows(promoted, "fact", "told_by IN ('known', 'fresh pool')")).toBe(2);
    expect(await countRows(old, "fact", "told_by <> 'never mirrored'")).toBe(0);
    // each primary once, however many processes have accepted it
    expect(await reignsOn(promoted)).toEqual([
      expect.stringMatching(/^reign-0000000001-/),
      expect.stringMatching(/^reign-0000000002-/),
    ]);
  });

  test("an old primary that has rejoined as a mirror is used again, and may be promoted again", async () => {
    await using pool = openPool(cluster);
    await pool.start();
    const old = await depose();
    await until("the pool to follow", () => pool.topology().primary === cluster.primary().name);
    await writeMany(pool, "in between");
    await cluster.rejoin(old);
    await until("the old primary to be a mirror in use", () =>
      pool
        .topology()
        .nodes.some(({ id, role, fence, status }) => id === old.name && role === "mirror" && !fence && status === "up"),
    );
    await cluster.caughtUp();
    await cluster.primary().kill();
    await cluster.promote(old);
    await until("the pool to follow", () => pool.topology().primary === old.name);
    await writeMany(pool, "again");
    expect(pool.topology()).toMatchObject({ primary: old.name, epoch: 3 });
    expect(await countRows(old, "fact", "told_by = 'again'")).toBe(50);
  });

  test("after an outage of all nodes the pool waits for the one that somebody makes the primary, and follows that", async () => {
    await using pool = openPool(cluster, { exactlyOnce: true, replay: {} });
    await pool.query(pool.ledgerSchema());
    await writeMany(pool, "before");
    await cluster.caughtUp();
    const old = cluster.primary();
    const [chosen, other] = cluster.mirrors();
    if (chosen === undefined || other === undefined) throw new Error("the cluster has two mirrors");
    await Promise.all(cluster.nodes.map((node) => node.kill()));
    await until("the pool to see it", () => pool.topology().nodes.every(({ status }) => status === "down"));
    const write = settle(pool.query("INSERT INTO fact (told_by) VALUES ('waits')", [], { timeoutMs: 60_000 }));
    await Promise.all([chosen.start(), other.start()]);
    await until("the mirrors to be back", () =>
      pool.topology().nodes.every(({ id, status }) => id === old.name || status === "up"),
    );
    expect(pool.topology()).toMatchObject({ primary: undefined, isWritable: false });
    await cluster.promote(chosen);
    expect((await write).error).toBeUndefined();
    await cluster.rejoin(old);
    await until("the former primary to be a mirror in use", () =>
      pool.topology().nodes.every(({ status, fence }) => status === "up" && fence === undefined),
    );
    await writeMany(pool, "after");
    expect(pool.topology()).toMatchObject({ primary: chosen.name, epoch: 2 });
    expect(await countRows(chosen, "fact", "told_by = 'waits'")).toBe(1);
    expect(pool.stats()).toMatchObject({ commitUnknown: 0, ackedWritesLost: 0 });
  });

  test("while the primary is read-only writes wait, and reads go on", async () => {
    await using pool = openPool(cluster);
    await pool.query("INSERT INTO fact (told_by) VALUES ('last')");
    const primary = cluster.primary();
    await primary.readOnly(true);
    const write = settle(pool.query("INSERT INTO fact (told_by) VALUES ('waits')"));
    await until("the write to wait", () => pool.stats().waitingForNode === 1);
    expect((await pool.query("SELECT told_by FROM fact WHERE told_by = 'last'")).rows.length).toBeGreaterThan(0);
    await primary.readOnly(false);
    expect((await write).error).toBeUndefined();
    expect(pool.topology()).toMatchObject({ primary: primary.name, epoch: 1 });
  });

  test("a server that is far away ends a statement all the same, when its connection is long given up", async () => {
    await using pool = openPool(cluster, {
      pool: { max: 1 },
      routing: { readFrom: "primary" },
      monitor: { probeTimeoutMs: 30_000 },
    });
    await pool.query("SELECT 1");
    const primary = cluster.primary();
    const read = settle(pool.query("SELECT 'far away', BENCHMARK(1000000000000, 1)", [], { timeoutMs: 1500 }));
    await running(primary, "far away");
    await primary.proxy.latency(300); // a second login and what it says take several times as long
    expect((await read).error).toMatchObject({ code: "DEADLINE" });
    await until("the connection to be given up", () => pool.stats().nodes[primary.name]?.closed === 1);
    expect(await whereRuns([primary], "far away")).toBe(primary);
    await notRunning(primary, "far away");
  });

  test("a COMMIT that a demotion refuses is rolled back, and its transaction runs again", async () => {
    await using pool = openPool(cluster, { replay: {} });
    const primary = cluster.primary();
    await using session = await pool.connect();
    await session.query("BEGIN");
    await session.query("INSERT INTO fact (told_by) VALUES ('demoted')");
    await primary.readOnly(true);
    const commit = settle(session.query("COMMIT"));
    await until("the commit to be refused", () => underWay(pool) > 0 && pool.topology().primary === undefined);
    await primary.readOnly(false);
    expect((await commit).error).toBeUndefined();
    expect(await countRows(primary, "fact", "told_by = 'demoted'")).toBe(1);
  });

  test("a switchover under load costs no error and loses nothing", async () => {
    await using pool = openPool(cluster);
    await pool.start();
    const errors: unknown[] = [];
    let written = 0;
    let isOver = false;
    const workers = Array.from({ length: 6 }, async (_, worker) => {
      const told = `worker ${worker}`;
      while (!isOver) {
        try {
          const { insertId } = await pool.query("INSERT INTO fact (told_by) VALUES (?)", [told]);
          const seen = await pool.query("SELECT id FROM fact WHERE id = ?", [insertId]);
          if (seen.rows.length !== 1) throw new Error(`worker ${worker} does not see what it wrote`);
          await pool.transaction(async (tx) => {
            await tx.query("INSERT INTO fact (told_by) VALUES (?)", [told]);
            await tx.query("SELECT count(*) FROM fact WHERE told_by = ?", [told]);
          });
          written += 2;
        } catch (error) {
          errors.push(error);
        }
      }
    });
    await until("some work", () => written > 100);
    const to = anyMirror(cluster).name;
    await pool.switchover({
      to,
      promote: (request) => cluster.switchover(request.to, { signal: request.signal }).then(() => {}),
    });
    const before = written;
    await until("more work", () => written > before + 100);
    isOver = true;
    await Promise.all(workers);
    expect(errors).toEqual([]);
    expect(await countRows(cluster.node(to), "fact", "told_by LIKE 'worker %'")).toBe(written);
    expect(pool.stats()).toMatchObject({ commitUnknown: 0, transactionsLost: 0 });
  });

  test("a read after a write of this process sees it, however far the mirrors are behind", async () => {
    await using pool = openPool(cluster);
    await pool.start();
    for (const mirror of cluster.mirrors()) await mirror.lag(true);
    for (let id = 300; id < 330; id += 1) {
      await pool.query("INSERT INTO entry VALUES (?)", [id]);
      expect((await pool.query("SELECT id FROM entry WHERE id = ?", [id])).rows).toEqual([{ id }]);
    }
  });

  test("mirrors answer again when they have caught up, and a token of one pool holds in another", async () => {
    await using pool = openPool(cluster);
    await using other = openPool(cluster);
    await pool.query("INSERT INTO entry VALUES (400)");
    const freshAs = (await pool.freshnessToken()) ?? "";
    expect((await other.query("SELECT id FROM entry WHERE id = 400", [], { freshAs })).rows).toHaveLength(1);
    await cluster.caughtUp();
    const ids = new Set<unknown>();
    const ofMirrors = await Promise.all(
      cluster.mirrors().map(async (mirror) => (await mirror.query("SELECT @@server_id AS id"))[0]?.["id"]),
    );
    await pool
      .query(
        "CREATE OR REPLACE VIEW whoami AS SELECT VARIABLE_VALUE AS id FROM information_schema.GLOBAL_VARIABLES WHERE VARIABLE_NAME = 'SERVER_ID'",
      )
      .catch(() => {});
    await cluster.caughtUp();
    if (server === "mariadb") {
      await until("a mirror to answer", async () => {
        ids.add(Number((await pool.query("SELECT id FROM whoami")).rows[0]?.["id"]));
        return ofMirrors.some((id) => ids.has(Number(id)));
      });
    }
  });

  test("what the session has set goes with it to the new primary", async () => {
    await using pool = openPool(cluster);
    await using session = await pool.connect();
    await session.query("SET @tenant = 'seven', SESSION group_concat_max_len = 4096");
    await session.query("SET NAMES utf8mb4");
    await session.query("USE information_schema");
    await cluster.primary().kill();
    await promoteMirror(cluster);
    await session.query("INSERT INTO app.entry VALUES (500)");
    const { rows } = await session.query(
      "SELECT @tenant AS tenant, @@group_concat_max_len AS longest, DATABASE() AS place FROM app.entry WHERE id = 500",
    );
    expect(rows).toEqual([{ tenant: "seven", longest: 4096, place: "information_schema" }]);
  });

  test("nobody inherits what another session has set", async () => {
    await using pool = openPool(cluster, { pool: { max: 1, warm: 0 }, routing: { readFrom: "primary" } });
    {
      await using session = await pool.connect();
      await session.query("SET @tenant = 'seven'");
      await session.query("SET sql_mode = 'ANSI_QUOTES'");
      await session.query("USE information_schema");
      await session.query("SELECT 1");
    }
    await using session = await pool.connect();
    const { rows } = await session.query(
      "SELECT @tenant AS tenant, DATABASE() AS place, @@character_set_client AS set_of",
    );
    expect(rows).toEqual([{ tenant: null, place: "app", set_of: "utf8mb4" }]);
    expect((await session.query('SELECT "text" AS t')).rows).toEqual([{ t: "text" }]);
  });

  test("a value that is SQL itself decides where a statement goes", async () => {
    await using pool = openPool(cluster);
    await pool.query("INSERT INTO entry VALUES (900)");
    await cluster.caughtUp();
    await until("the mirrors to be fresh", () =>
      pool.topology().nodes.every(({ role, lagMs }) => role === "primary" || lagMs === 0),
    );
    const locked = { text: "SELECT id FROM entry WHERE id = ? ?", values: [900, raw("FOR UPDATE")] };
    const session = await pool.connect();
    for (const target of [pool, session]) {
      const { rows } = await target.query(locked, undefined, { consistency: "eventual" });
      expect(rows).toEqual([{ id: 900 }]);
    }
    session.release();
    expect(pool.stats().misrouted).toBe(0);
  });

  test("a statement that only looks like a read runs once, on the primary, and is remembered", async () => {
    await using pool = openPool(cluster);
    await pool.query("CREATE TABLE IF NOT EXISTS visit (note varchar(20))");
    await pool.query(
      "CREATE FUNCTION IF NOT EXISTS pay(n int) RETURNS int MODIFIES SQL DATA BEGIN INSERT INTO visit VALUES ('paid'); RETURN n; END",
    );
    await pool.query("CREATE OR REPLACE VIEW paying AS SELECT pay(1) AS paid");
    await cluster.caughtUp();
    const events = record(pool);
    await pool.start();
    await until("the mirrors to be fresh", () =>
      pool.topology().nodes.every(({ role, lagMs }) => role === "primary" || lagMs === 0),
    );
    for (let i = 0; i < 2; i += 1)
      expect((await pool.query("SELECT paid FROM paying", [], { consistency: "eventual" })).rows).toEqual([
        { paid: 1 },
      ]);
    expect(events.filter(({ name }) => name === "misrouted")).toHaveLength(1);
    expect(await countRows(cluster.primary(), "visit")).toBe(2);
  });
});

test("a new pool finds the primary of a first failover on MySQL by what it has written, where its user may see replication", async () => {
  await using cluster = await createCluster({ server: "mysql", mirrors: 1 });
  await using setup = openPool(cluster);
  await setup.query("CREATE TABLE fact (told_by varchar(20))");
  await cluster.primary().query("GRANT SELECT ON performance_schema.* TO app");
  await cluster.caughtUp();
  const old = cluster.primary();
  await old.freeze();
  await promoteMirror(cluster);
  await until("the pool to follow", () => setup.topology().primary === cluster.primary().name);
  await old.thaw();
  await setup.query("INSERT INTO fact VALUES ('first')");
  await using pool = openPool(cluster);
  await pool.query("INSERT INTO fact VALUES ('fresh pool')");
  expect(await countRows(cluster.primary(), "fact")).toBe(2);
  expect(await countRows(old, "fact")).toBe(0);
});
