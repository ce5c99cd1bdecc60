import { type FailoverPool, NoPrimaryError } from "@mirrorpool/core";
import { createCluster, type LabCluster, type LabNode } from "@mirrorpool/lab";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { countRows } from "./support/cluster.ts";
import { rejection, settle } from "./support/outcome.ts";
import { openPool, record } from "./support/pool.ts";
import { until } from "./support/until.ts";

/** A group's own time to notice a loss, and some more. */
const PATIENCE = { timeoutMs: 30_000 };

const groups = [
  { title: "Galera", server: "mariadb", electsItself: false },
  { title: "Group Replication", server: "mysql", electsItself: true },
] as const;

describe.each(groups)("on $title", ({ server, electsItself }) => {
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
    const workers = Array.from({ length: 4 }, async (_, worker) => {
      for (let id = from + worker; !isStopped; id += 4) {
        const { error } = await settle(pool.query("INSERT INTO entry VALUES (?, 'worker')", [id], PATIENCE));
        if (error === undefined) acknowledged.push(id);
        else errors.push(error);
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
    const read = async () =>
      (await pool.query<{ port: number }>("SELECT @@port AS port", [], { consistency: "eventual" })).rows;
    await until("a mirror to answer", async () => (await read())[0]?.port !== primary().directPort);
  });

  test("when the primary is killed under load no error surfaces, and nothing is lost or done twice", async () => {
    const events = record(pool);
    const stop = keepWriting(1000);
    const old = primary();
    await until("load", async () => (await idsOn(old, 1000)).length > 20);
    await using session = await pool.connect();
    await session.query("BEGIN");
    await session.query("INSERT INTO entry VALUES (2, 'open')");
    await old.kill();
    await session.query("UPDATE entry SET told_by = 'replayed' WHERE id = 2", [], PATIENCE);
    await session.query("COMMIT", [], PATIENCE);
    expect(primary().name).not.toBe(old.name);
    const { acknowledged, errors } = await stop();
    expect(errors).toEqual([]);
    expect(await idsOn(primary(), 1000)).toEqual(acknowledged.sort((a, b) => a - b));
    expect(await countRows(primary(), "entry", "id = 2 AND told_by = 'replayed'")).toBe(1);
    expect(events.filter(({ name }) => name === "acked-writes-lost")).toEqual([]);
    expect(pool.stats()).toMatchObject({ commitUnknown: 0, ackedWritesLost: 0 });
    await cluster.promote(primary());
    await cluster.rejoin(old);
    // it comes back as a mirror: the primary stays where it is
    await until("it to come back", () => pool.topology().nodes.find(({ id }) => id === old.name)?.status === "up");
    expect(primary().name).not.toBe(old.name);
  });

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
});

test("a user who may not see the state of a Group Replication is told so, and writes nothing", async () => {
  await using cluster = await createCluster({ server: "mysql", group: true });
  await using pool = openPool(cluster);
  const error = await rejection(pool.query("CREATE TABLE entry (id int PRIMARY KEY)"));
  expect(String(error)).toContain("GRANT SELECT ON performance_schema");
});
