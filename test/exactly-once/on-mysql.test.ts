import type { FailoverPool, PoolEvents, PoolOptions } from "@mirrorpool/core";
import { CommitUnknownError, LedgerMissingError, ReplayMismatchError, TransactionLostError } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { countRows, mend, promoteMirror, running } from "../failover/support/cluster.ts";
import { rejection } from "../failover/support/outcome.ts";
import { openPool } from "../failover/support/pool.ts";
import { mysqlServers, systemOf } from "../failover/support/system.ts";
import { until } from "../failover/support/until.ts";
import { makeLedger } from "./support.ts";

/** The others say who reigned. */
const TOKENS = "(token NOT LIKE 'reign-%')";

describe.each(mysqlServers)("on %s", (server) => {
  let cluster: LabCluster;
  let pool: FailoverPool;
  let strays: PoolEvents["stray-commits"][];

  const open = (options: Partial<PoolOptions> = {}): FailoverPool =>
    openPool(cluster, { exactlyOnce: true, replay: {}, ...options });

  beforeAll(async () => {
    cluster = await createCluster({ server, mirrors: 2 });
    await makeLedger(cluster);
  }, 120_000);
  beforeEach(async () => {
    pool = open();
    strays = [];
    pool.on("stray-commits", (event) => void strays.push(event));
    await pool.query("DROP TABLE IF EXISTS entry");
    await pool.query("CREATE TABLE entry (id int AUTO_INCREMENT PRIMARY KEY, note varchar(20) UNIQUE)");
    await cluster.caughtUp();
  });
  afterEach(async () => {
    await pool.close();
    await mend(cluster);
  });
  afterAll(() => cluster?.close());

  const failOver = async (): Promise<void> => {
    await cluster.caughtUp();
    await cluster.primary().kill();
    await promoteMirror(cluster);
  };

  describe("the answer to token and COMMIT", () => {
    // that to the switch for several statements, two OK packets, and to the switch back: 11 or 9 bytes each
    const cuts = Array.from({ length: 45 }, (_, bytes) => bytes);

    test.each(cuts)("is cut after %i bytes: the outcome is right, and its effect exactly one", async (bytes) => {
      await using narrow = open({ pool: { max: 1, warm: 0 } });
      await using session = await narrow.connect();
      await session.query("BEGIN");
      await session.query("INSERT INTO entry VALUES (?, 'cut')", [bytes + 1]);
      const primary = cluster.primary();
      await primary.proxy.cutAfter(bytes, "down");
      const commit = session.query("COMMIT");
      await until("the connection to be cut, or the answer to be there", async () => {
        const isCut = primary.proxy.stats.connections.active === 0;
        return isCut || (await Promise.race([commit.then(() => true), Promise.resolve(false)]));
      });
      await primary.proxy.heal();
      expect(await commit).toMatchObject({ command: "COMMIT" });
      expect(await countRows(primary, "entry", `id = ${bytes + 1}`)).toBe(1);
    });
  });

  test("a single write has its result, and the id that its row was given", async () => {
    expect(await pool.query("INSERT INTO entry (note) VALUES ('first')")).toMatchObject({ rowCount: 1, insertId: 1 });
    expect((await pool.query("UPDATE entry SET note = 'one' WHERE id = 1")).rowCount).toBe(1);
    expect(await rejection(pool.query("INSERT INTO entry (note) VALUES ('one')"))).toMatchObject({ errno: 1062 });
    expect(await countRows(cluster.primary(), "mirrorpool_ledger")).toBeGreaterThanOrEqual(2);
  });

  test("a COMMIT whose answer is lost with the primary is settled on the new one", async () => {
    const former = cluster.primary();
    await using session = await pool.connect();
    await session.query("BEGIN");
    await session.query("INSERT INTO entry VALUES (1, 'lost answer')");
    await former.proxy.halfOpen("down");
    const commit = session.query("COMMIT");
    await until("the commit", async () => (await countRows(former, "entry")) === 1);
    await cluster.caughtUp();
    await former.kill();
    await promoteMirror(cluster);
    expect(await commit).toMatchObject({ command: "COMMIT" });
    expect(await countRows(cluster.primary(), "entry")).toBe(1);
    expect(pool.stats()).toMatchObject({ replays: 0, commitUnknown: 0 });
  });

  test("a COMMIT that never arrived is fenced, and the transaction is run again with one effect", async () => {
    const former = cluster.primary();
    await using session = await pool.connect();
    await session.query("BEGIN");
    await session.query("INSERT INTO entry (note) VALUES ('never')");
    await former.proxy.halfOpen("up");
    const commit = session.query("COMMIT");
    await until("the COMMIT to disappear", () => former.proxy.stats.swallowedBytes.up > 0);
    await failOver();
    expect(await commit).toMatchObject({ command: "COMMIT" });
    expect(await countRows(cluster.primary(), "entry")).toBe(1);
    expect(pool.stats()).toMatchObject({ replays: 1, commitUnknown: 0 });
  });

  test("a COMMIT that arrives late, on a server that did not fail, has no second effect", async () => {
    const primary = cluster.primary();
    await using session = await pool.connect();
    await session.query("BEGIN");
    await session.query("INSERT INTO entry (note) VALUES ('late')");
    await primary.proxy.stall();
    const commit = session.query("COMMIT");
    await until("the pool to give the node up", () => pool.topology().primary === undefined);
    await primary.proxy.heal(); // what was held is delivered
    expect(await commit).toMatchObject({ command: "COMMIT" });
    expect(await countRows(primary, "entry")).toBe(1);
  });

  test("a COMMIT that reaches the old primary after its transaction ran again on the new one is reported", async () => {
    const former = cluster.primary();
    const session = await pool.connect();
    await session.query("BEGIN");
    await session.query("INSERT INTO entry (note) VALUES ('stray')");
    await former.proxy.stall();
    const commit = session.query("COMMIT");
    await until("the pool to give the node up", () => pool.topology().primary === undefined);
    await promoteMirror(cluster);
    expect(await commit).toMatchObject({ command: "COMMIT" });
    session.release();
    expect(pool.stats()).toMatchObject({ replays: 1, strayCommits: 0 });
    await former.proxy.heal();
    await until("the event", () => strays.length > 0);
    expect(await countRows(former, "entry")).toBe(1);
    expect(await countRows(cluster.primary(), "entry")).toBe(1);
    expect(strays).toEqual([{ node: former.name, epoch: 2, count: 1, tokens: [expect.any(String)] }]);
  });

  test("without a primary in time the outcome stays unknown, and is said to be", async () => {
    await using session = await pool.connect();
    await session.query("BEGIN");
    await session.query("INSERT INTO entry (note) VALUES ('unknown')");
    await cluster.primary().proxy.halfOpen("down");
    const commit = session.query("COMMIT", [], { timeoutMs: 2500 });
    expect(await rejection(commit)).toBeInstanceOf(CommitUnknownError);
  });

  test("where the ledger's table is missing the error says what to run, and nothing is committed", async () => {
    await using other = open({ exactlyOnce: { table: "no_such_ledger" } });
    const error = await rejection(other.query("INSERT INTO entry (note) VALUES ('none')"));
    expect(error).toBeInstanceOf(LedgerMissingError);
    expect(String(error)).toContain(other.ledgerSchema());
    expect(await countRows(cluster.primary(), "entry")).toBe(0);
  });

  test("the token goes to the ledger of the pool's database, wherever the session has gone", async () => {
    const before = await countRows(cluster.primary(), "mirrorpool_ledger", TOKENS);
    await using session = await pool.connect();
    await session.query("USE information_schema");
    await session.query("INSERT INTO app.entry (note) VALUES ('elsewhere')");
    expect(await countRows(cluster.primary(), "mirrorpool_ledger", TOKENS)).toBe(before + 1);
  });

  test("old tokens are removed, and the others stay", async () => {
    await pool.query("INSERT INTO entry (note) VALUES ('old')");
    const primary = cluster.primary();
    await primary.query("UPDATE mirrorpool_ledger SET created_at = NOW(3) - INTERVAL 1 DAY");
    const old = await countRows(primary, "mirrorpool_ledger", TOKENS);
    const reigns = await countRows(primary, "mirrorpool_ledger", `NOT ${TOKENS}`);
    await pool.query("INSERT INTO entry (note) VALUES ('new')");
    const { ledger } = systemOf(primary).driver();
    const prune = ledger?.prune("mirrorpool_ledger", 60_000) ?? { text: "" };
    expect((await pool.query(prune)).rowCount).toBe(old);
    expect(await countRows(primary, "mirrorpool_ledger", TOKENS)).toBeLessThanOrEqual(2);
    expect(await countRows(primary, "mirrorpool_ledger", `NOT ${TOKENS}`)).toBe(reigns);
    expect(reigns).toBeGreaterThan(0);
  });

  test("a transaction whose primary is killed goes on, on the new one, and the application notices nothing", async () => {
    await pool.query("INSERT INTO entry VALUES (1, 'a'), (2, 'b')");
    const ids: unknown[] = [];
    await pool.transaction(async (tx) => {
      ids.push((await tx.query("INSERT INTO entry (note) VALUES ('c')")).insertId);
      ids.push((await tx.query("SELECT LAST_INSERT_ID() AS id")).rows[0]?.["id"]);
      await failOver();
      await tx.query("UPDATE entry SET note = 'd' WHERE id = ?", [ids[0]]);
    });
    expect(ids[1]).toBe(ids[0]);
    expect(await countRows(cluster.primary(), "entry", `id = ${ids[0]} AND note = 'd'`)).toBe(1);
    expect(pool.stats()).toMatchObject({ replays: 1, transactionsLost: 0 });
  });

  test("an id that somebody else has taken meanwhile is a mismatch, and not another id", async () => {
    await using other = openPool(cluster);
    const error = await rejection(
      pool.transaction(async (tx) => {
        const { insertId } = await tx.query("INSERT INTO entry (note) VALUES ('mine')");
        await failOver();
        await other.query("INSERT INTO entry VALUES (?, 'theirs')", [insertId]);
        await tx.query("SELECT 1");
      }),
    );
    expect(error).toBeInstanceOf(ReplayMismatchError);
    expect(error).toMatchObject({ statement: 2, retryable: true });
    expect(await countRows(cluster.primary(), "entry", "note = 'mine'")).toBe(0);
  });

  test("rows keep their ids beside those of others, and an id that was not made up goes to no other row", async () => {
    await using other = openPool(cluster);
    await pool.query("CREATE TABLE IF NOT EXISTS ticket (number int)");
    await pool.query("INSERT INTO ticket VALUES (900)");
    const ids: number[] = [];
    await pool.transaction(async (tx) => {
      const insert = async (text: string): Promise<void> => void ids.push(Number((await tx.query(text)).insertId));
      await insert("INSERT INTO entry (note) VALUES ('a'), ('b')");
      await insert("INSERT INTO entry VALUES (77, 'chosen')");
      await insert("INSERT INTO entry VALUES (39 * 2, 'chosen too')");
      await insert("INSERT INTO entry (note) VALUES ('79')");
      await insert("UPDATE ticket SET number = LAST_INSERT_ID(number + 1)");
      await failOver();
      await other.query("INSERT INTO entry VALUES (500, 'theirs')");
      await insert("INSERT INTO entry (note) VALUES ('next')");
    });
    // some ids are lost with what was tried first
    const next = expect.toSatisfy((id: number) => id > 500 && id < 900);
    expect(ids).toEqual([1, 77, 78, 79, 901, next]);
    const rows = await cluster.primary().query<{ note: string; id: number }>("SELECT note, id FROM entry ORDER BY id");
    expect(rows.map(({ note, id }) => `${note} ${id}`)).toEqual([
      "a 1",
      "b 2",
      "chosen 77",
      "chosen too 78",
      "79 79",
      "theirs 500",
      `next ${ids[5]}`,
    ]);
    expect(pool.stats()).toMatchObject({ replays: 1, transactionsLost: 0 });
  });

  test("after a failover nobody takes an id that an open transaction was given: what is new goes behind what was under way", async () => {
    await pool.query("INSERT INTO entry VALUES (100, 'before')");
    const sessions = await Promise.all(Array.from({ length: 6 }, () => pool.connect()));
    const given: unknown[] = [];
    for (const [index, session] of sessions.entries()) {
      await session.query("BEGIN");
      given.push((await session.query("INSERT INTO entry (note) VALUES (?)", [`open ${index}`])).insertId);
    }
    await cluster.caughtUp();
    await cluster.primary().kill();
    const fresh = Array.from({ length: 6 }, (_, index) =>
      pool.query("INSERT INTO entry (note) VALUES (?)", [`new ${index}`]),
    );
    const going = sessions.map((session) => session.query("SELECT LAST_INSERT_ID() AS id"));
    await promoteMirror(cluster);
    expect((await Promise.all(going)).map(({ rows }) => rows[0]?.["id"])).toEqual(given);
    await Promise.all(sessions.map((session) => session.query("COMMIT")));
    const others = (await Promise.all(fresh)).map(({ insertId }) => insertId);
    for (const session of sessions) session.release();
    expect(new Set([...given, ...others]).size).toBe(12);
    expect(await countRows(cluster.primary(), "entry")).toBe(13);
    expect(pool.stats()).toMatchObject({ replays: 6, transactionsLost: 0 });
  });

  test("savepoints, isolation level and failed statements are replayed faithfully", async () => {
    await pool.query("INSERT INTO entry VALUES (1, 'one')");
    let level: unknown;
    await pool.transaction(
      async (tx) => {
        await tx.query("UPDATE entry SET note = 'changed' WHERE id = 1");
        await tx.query("SAVEPOINT before_mistake");
        expect(await rejection(tx.query("INSERT INTO entry VALUES (1, 'two')"))).toMatchObject({ errno: 1062 });
        await tx.query("INSERT INTO entry VALUES (2, 'undone')");
        await tx.query("ROLLBACK TO before_mistake");
        await failOver();
        await tx.query("INSERT INTO entry VALUES (3, 'three')");
        level = (await tx.query("SELECT 1 AS one")).rows;
      },
      { isolation: "serializable" },
    );
    expect(level).toEqual([{ one: 1 }]);
    const notes = await cluster.primary().query<{ note: string }>("SELECT note FROM entry ORDER BY id");
    expect(notes.map(({ note }) => note)).toEqual(["changed", "three"]);
  });

  test("a definition commits what was before it: that is never run again", async () => {
    await using session = await pool.connect();
    await session.query("BEGIN");
    await session.query("INSERT INTO entry (note) VALUES ('kept')");
    await session.query("CREATE TABLE IF NOT EXISTS other_one (id int)");
    await failOver();
    await session.query("INSERT INTO entry (note) VALUES ('after')");
    await session.query("COMMIT");
    expect(await countRows(cluster.primary(), "entry", "note = 'kept'")).toBe(1);
    expect(await countRows(cluster.primary(), "entry", "note = 'after'")).toBe(1);
  });

  test("a BEGIN commits what was before it: only what follows is run again", async () => {
    await using session = await pool.connect();
    await session.query("BEGIN");
    await session.query("INSERT INTO entry (id, note) VALUES (1, 'first')");
    await session.query("BEGIN");
    await session.query("INSERT INTO entry (id, note) VALUES (2, 'second')");
    await failOver();
    await session.query("INSERT INTO entry (id, note) VALUES (3, 'third')");
    await session.query("COMMIT");
    expect(await countRows(cluster.primary(), "entry")).toBe(3);
    expect(pool.stats()).toMatchObject({ replays: 1 });
  });

  test("a definition in a transaction whose answer is lost leaves what was before of unknown fate", async () => {
    await using session = await pool.connect();
    await session.query("BEGIN");
    await session.query("INSERT INTO entry (note) VALUES ('kept')");
    const former = cluster.primary();
    await former.proxy.halfOpen("down");
    const error = await rejection(
      session.query("CREATE TABLE IF NOT EXISTS another_one (id int)", [], { timeoutMs: 9_000 }),
    );
    await former.proxy.heal();
    expect(error).toBeInstanceOf(CommitUnknownError);
    expect(await countRows(former, "entry", "note = 'kept'")).toBe(1);
  });

  test("a transaction with a named lock goes on until the failover, and its error says why it cannot be replayed", async () => {
    await using session = await pool.connect();
    await session.query("BEGIN");
    await session.query("INSERT INTO entry (note) VALUES ('locked')");
    await session.query("SELECT GET_LOCK('mine', 1)");
    await failOver();
    const error = await rejection(session.query("SELECT 2"));
    expect(error).toBeInstanceOf(TransactionLostError);
    expect(String(error)).toContain("cannot move");
  });

  test("a deadlock is run again, with the ids that were given", async () => {
    await using retrying = open({ retryOnConflict: 5 });
    await pool.query("INSERT INTO entry VALUES (1, 'a'), (2, 'b')");
    const ids: unknown[] = [];
    const cross = (first: number, second: number, wait: () => Promise<unknown>) =>
      retrying.transaction(async (tx) => {
        ids.push((await tx.query("INSERT INTO entry (note) VALUES (?)", [`by ${first}`])).insertId);
        await tx.query("UPDATE entry SET note = CONCAT(note, ?) WHERE id = ?", [first, first]);
        await wait();
        await tx.query("UPDATE entry SET note = CONCAT(note, ?) WHERE id = ?", [first, second]);
      });
    let ready = 0;
    const both = () => {
      ready += 1;
      return until("the other one", () => ready >= 2);
    };
    await Promise.all([cross(1, 2, both), cross(2, 1, both)]);
    const rows = await cluster
      .primary()
      .query<{ id: number }>("SELECT id FROM entry WHERE note LIKE 'by %' ORDER BY id");
    expect(rows.map(({ id }) => id)).toEqual([...ids].sort());
    expect(retrying.stats().conflicts).toBeGreaterThanOrEqual(1);
  });

  test("acknowledged writes that the new primary does not have are reported: by their tokens exactly, else by positions", async () => {
    await using lossy = await createCluster({ server, mirrors: 1 });
    await makeLedger(lossy);
    await using exact = openPool(lossy, { exactlyOnce: true, replay: {} });
    await using plain = openPool(lossy);
    const reports = { exact: reportsOf(exact), plain: reportsOf(plain) };
    await plain.query("CREATE TABLE entry (note varchar(20))");
    for (const each of [exact, plain]) await each.query("INSERT INTO entry VALUES ('kept')");
    await sampled(plain);
    await lossy.caughtUp();
    for (const mirror of lossy.mirrors()) await mirror.replicate(false);
    for (const each of [exact, plain]) await each.query("INSERT INTO entry VALUES ('between')");
    await sampled(plain); // beyond the end: whatever is sent now is certainly lost
    for (const note of ["x", "y", "z"]) {
      for (const each of [exact, plain]) await each.query("INSERT INTO entry VALUES (?)", [note]);
    }
    await lossy.primary().kill();
    await lossy.promote("node2", { follow: false });
    await until("the reports", () => reports.exact.length > 0 && reports.plain.length > 0);
    expect(reports.exact).toEqual([expect.objectContaining({ count: 4, unknown: 0, kept: 1 })]);
    expect(reports.exact[0]?.tokens).toHaveLength(4);
    const [report] = reports.plain;
    expect(report).toMatchObject({ kept: 2, asked: 6, tokens: [] });
    expect([report?.count, report?.unknown]).toSatisfy(
      ([lost, unknown]) => (lost === 3 && unknown === 1) || (lost === 4 && unknown === 0),
    );
  });

  test("a write waits until a mirror has it, where the application asks for that", async () => {
    await using mirrored = openPool(cluster, { durability: "mirrored" });
    await mirrored.query("INSERT INTO entry (note) VALUES ('mirrored')");
    for (const mirror of cluster.mirrors()) await mirror.replicate(false);
    let isDone = false;
    const write = mirrored.query("INSERT INTO entry (note) VALUES ('waits')").then(() => {
      isDone = true;
    });
    await until(
      "it to be committed",
      async () => (await countRows(cluster.primary(), "entry", "note = 'waits'")) === 1,
    );
    expect(isDone).toBe(false);
    for (const mirror of cluster.mirrors()) await mirror.replicate(true);
    await write;
  });

  test("a write that blocks on a lock when its primary freezes is there once", async () => {
    await pool.query("INSERT INTO entry VALUES (1, 'held')");
    await using holder = await openPool(cluster).connect();
    await holder.query("BEGIN");
    await holder.query("UPDATE entry SET note = 'mine' WHERE id = 1");
    const write = pool.query("UPDATE entry SET note = CONCAT('x', note) WHERE id = 1 /* blocked */");
    await running(cluster.primary(), "blocked");
    await cluster.primary().freeze();
    await promoteMirror(cluster);
    expect((await write).rowCount).toBe(1);
    expect(await countRows(cluster.primary(), "entry", "note = 'xheld'")).toBe(1);
  });
});

function reportsOf(pool: FailoverPool): PoolEvents["acked-writes-lost"][] {
  const reports: PoolEvents["acked-writes-lost"][] = [];
  pool.on("acked-writes-lost", (report) => void reports.push(report));
  return reports;
}

/** A probe of the primary was sent after this moment, and answered. */
async function sampled(pool: FailoverPool): Promise<void> {
  const startedAt = performance.now();
  await until("a probe of the primary", () => {
    const { nodes, primary } = pool.topology();
    const agoMs = nodes.find(({ id }) => id === primary)?.observedAgoMs;
    return agoMs !== undefined && performance.now() - agoMs > startedAt;
  });
}
