import { type FailoverPool, NoPrimaryError } from "@mirrorpool/core";
import { createCluster, type LabCluster, type LabNode } from "@mirrorpool/lab";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { countRows, whereRuns } from "./support/cluster.ts";
import { rejection, settle } from "./support/outcome.ts";
import { openPool, record } from "./support/pool.ts";
import { until } from "./support/until.ts";

/** A group's own time to notice a loss, and some more. */
const PATIENCE = { timeoutMs: 30_000 };

const groups = [
  { title: "Galera", server: "mariadb", electsItself: false, loss: "kill" },
  { title: "Group Replication", server: "mysql", electsItself: true, loss: "freeze" },
] as const;

describe.each(groups)("on $title", ({ server, electsItself, loss }) => {
  let cluster: LabCluster;
  let pool: FailoverPool;

  beforeAll(async () => {
    cluster = await createCluster({ server, group: true });
    if (electsItself) await cluster.primary().query("GRANT SELECT ON performance_schema.* TO app");
    pool = openPool(cluster, { exactlyOnce: true, replay: {} });
    await pool.query(pool.ledgerSchema());
    await pool.query("CREATE TABLE entry (id int PRIMARY KEY, told_by varchar(20))");
    await cluster.caughtUp();
  }, 120_000);
  afterAll(async () => {
    await pool?.close();
    await cluster?.close();
  });

  /** The node that the pool writes to. */
  const primary = (): LabNode => cluster.node(pool.topology().primary ?? "none");

  /** Writes one row after the other until told to stop. @returns the ids that were acknowledged, and all errors */
  function keepWriting(from: number): () => Promise<{ readonly acknowledged: number[]; readonly errors: unknown[] }> {
    const acknowledged: number[] = [];
    const errors: unknown[] = [];
    let isStopped = false;
    onTestFinished(() => {
      isStopped = true;
    });
    const workers = Array.from({ length: 4 }, async (_, worker) => {
      for (let id = from + worker; !isStopped; id += 4) {
        const { error } = await settle(pool.query("INSERT INTO entry VALUES (?, 'worker')", [id], PATIENCE));
        if (error === undefined) acknowledged.push(id);
        else {
          errors.push(error);
          return;
        }
      }
    });
    return async () => {
      isStopped = true;
      await Promise.all(workers);
      return { acknowledged, errors };
    };
  }

  const idsOn = async (node: LabNode, from: number): Promise<number[]> => {
    const rows = await node.query<{ id: number }>("SELECT id FROM entry WHERE id >= ? ORDER BY id", [from]);
    return rows.map(({ id }) => id);
  };

  test("one node is written to, and the others answer reads", async () => {
    await pool.query("INSERT INTO entry VALUES (1, 'one')");
    const { nodes, isWritable } = pool.topology();
    expect(isWritable).toBe(true);
    expect(nodes.map(({ role, status }) => `${status} ${role}`).sort()).toEqual([
      "up mirror",
      "up mirror",
      "up primary",
    ]);
    expect(primary().name).toBe("node1");
    const mirrors = cluster.nodes.filter((node) => node !== primary());
    const read = pool.query("SELECT 1 AS one, SLEEP(1) AS in_flight", [], { consistency: "eventual" });
    expect(mirrors).toContain(await whereRuns(mirrors, "in_flight"));
    await read;
  });

  test("privileges on its data are enough for an application on Galera; on Group Replication it is told what it needs, and writes nothing", async () => {
    const nodes = cluster.nodes.map(({ name, url }) => ({ name, url: url.replace("app:secret", "clerk:secret") }));
    await cluster.node("node1").query("CREATE USER clerk@'%' IDENTIFIED BY 'secret'; GRANT ALL ON app.* TO clerk@'%'");
    await cluster.caughtUp();
    await using plain = openPool(cluster, { nodes });
    const { error } = await settle(plain.query("INSERT INTO entry VALUES (5, 'clerk')"));
    if (electsItself) expect(String(error)).toContain("GRANT SELECT ON performance_schema.*");
    else expect(error).toBeUndefined();
    expect(await countRows(cluster.node("node1"), "entry", "id = 5")).toBe(electsItself ? 0 : 1);
  });

  // on Galera each member is a primary at all times
  const ofGroups = electsItself ? [server] : [];
  test.each(ofGroups)(
    "where every member is a primary, one is written to, and another one when that is read-only",
    async () => {
      const before = primary();
      const [own] = await before.query<{ uuid: string }>("SELECT @@server_uuid AS uuid");
      await before.query("SELECT group_replication_switch_to_multi_primary_mode()");
      const stop = keepWriting(1_000);
      await until("load", async () => (await idsOn(before, 1_000)).length > 20);
      await until("all to be seen as peers", async () => {
        const rows = await Promise.all(cluster.nodes.map((node) => node.query("SELECT @@super_read_only AS is_on")));
        return rows.every(([row]) => row?.["is_on"] === 0);
      });
      await using another = openPool(cluster);
      await another.query("SELECT 1", [], { consistency: "strong" });
      expect(another.topology()).toMatchObject({ primary: before.name, isSplit: false, isWritable: true });
      await before.readOnly(true);
      await until("another node", () => pool.topology().isWritable && pool.topology().primary !== before.name);
      const next = primary();
      await until("load there", async () => (await countRows(next, "entry", "id >= 1000")) > 40);
      const { acknowledged, errors } = await stop();
      expect(errors).toEqual([]);
      await before.readOnly(false);
      await cluster.caughtUp();
      expect(await idsOn(next, 1_000)).toEqual(acknowledged.sort((a, b) => a - b));
      await before.query(`SELECT group_replication_switch_to_single_primary_mode('${own?.uuid}')`);
      // peers keep the one that they have
      await until("one primary", () => pool.topology().isWritable && pool.topology().primary === before.name);
      // a peer agrees to commits before it carries them out: that is no loss
      expect(pool.stats().ackedWritesLost).toBe(0);
    },
  );

  test("without a quorum nobody is written to; once there is one work goes on, with no error for those who wait", async () => {
    const left = primary();
    const others = cluster.nodes.filter((node) => node !== left);
    const stop = keepWriting(10_000);
    await until("load", async () => (await idsOn(left, 10_000)).length > 20);
    await Promise.all(others.map((node) => node.freeze()));
    await until("the pool to notice", () => !pool.topology().isWritable);
    const impatient = await rejection(pool.query("INSERT INTO entry VALUES (3, 'minority')", [], { timeoutMs: 500 }));
    expect(impatient).toBeInstanceOf(NoPrimaryError);
    expect(String(impatient)).toContain("not in a group with a quorum");
    await Promise.all(others.map((node) => node.thaw()));
    await pool.query("INSERT INTO entry VALUES (4, 'majority')", [], PATIENCE);
    const { acknowledged, errors } = await stop();
    expect(errors).toEqual([]);
    expect(await idsOn(primary(), 10_000)).toEqual(acknowledged.sort((a, b) => a - b));
    expect(await countRows(primary(), "entry", "id = 3")).toBe(0);
  });

  test(`when the primary is lost by a ${loss} under load no error surfaces, and nothing is lost or done twice`, {
    timeout: 150_000,
  }, async () => {
    // two of them could not lose another one; who was away may not know yet that it is out
    await pool.query("INSERT INTO entry VALUES (6, 'everybody')", [], PATIENCE);
    // who is still being let in refuses every question
    const hasIt = (node: LabNode): Promise<boolean> =>
      countRows(node, "entry", "id = 6").then(
        (count) => count === 1,
        () => false,
      );
    await until("the whole group", async () => (await Promise.all(cluster.nodes.map(hasIt))).every(Boolean), 40_000);
    await until("the pool to know", () => pool.topology().nodes.every(({ status }) => status === "up"));
    const events = record(pool);
    const stop = keepWriting(20_000);
    const old = primary();
    await until("load", async () => (await idsOn(old, 20_000)).length > 20);
    await using session = await pool.connect();
    await session.query("BEGIN");
    await session.query("INSERT INTO entry VALUES (2, 'open')");
    await old[loss]();
    await session.query("UPDATE entry SET told_by = 'replayed' WHERE id = 2", [], PATIENCE);
    await session.query("COMMIT", [], PATIENCE);
    expect(primary().name).not.toBe(old.name);
    const { acknowledged, errors } = await stop();
    expect(errors).toEqual([]);
    expect(await idsOn(primary(), 20_000)).toEqual(acknowledged.sort((a, b) => a - b));
    expect(await countRows(primary(), "entry", "id = 2 AND told_by = 'replayed'")).toBe(1);
    expect(events.filter(({ name }) => name === "acked-writes-lost")).toEqual([]);
    expect(pool.stats()).toMatchObject({ commitUnknown: 0, ackedWritesLost: 0 });
    if (loss === "freeze") await wakesUp(old);
  });

  /**
   * For some seconds it does not know that it was put out of its group. Who sees the others does not believe it; who sees nobody
   * else does, and is acknowledged nothing.
   */
  async function wakesUp(old: LabNode): Promise<void> {
    const events = record(pool);
    await using lonely = openPool(cluster, { nodes: [{ name: old.name, url: old.url }] });
    const write = settle(lonely.query("INSERT INTO entry VALUES (7, 'put out')", [], { timeoutMs: 10_000 }));
    await old.thaw();
    const code = expect.stringMatching(/^(COMMIT_UNKNOWN|NO_PRIMARY)$/);
    expect((await write).error).toMatchObject({ code });
    await until("it to be given up", () => !lonely.topology().isWritable);
    expect(events.filter(({ name }) => name.startsWith("primary-") || name === "split-brain")).toEqual([]);
    expect(await countRows(primary(), "entry", "id = 7")).toBe(0);
  }
});
