import type { Connection, Observation } from "@mirrorpool/core";
import { createCluster, type LabCluster, type LabNode } from "@mirrorpool/lab";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { driver, open, servers } from "./server.ts";

describe.each(servers)("a probe by an ordinary user on %s", (server) => {
  let cluster: LabCluster;

  beforeAll(async () => {
    cluster = await createCluster({ server, mirrors: 1 });
  }, 120_000);
  afterAll(() => cluster?.close());

  async function observe(node: LabNode): Promise<Observation> {
    const connection: Connection = await open(node);
    try {
      return await driver.probe(connection);
    } finally {
      await connection.close();
    }
  }

  test("tells a primary from its mirror, of one cluster and two servers", async () => {
    const [primary, mirror] = cluster.nodes as readonly [LabNode, LabNode];
    const [one, other] = [await observe(primary), await observe(mirror)];
    expect(one).toMatchObject({ role: "primary", isWritable: true, timeline: undefined });
    expect(other).toMatchObject({ role: "mirror", isWritable: false, systemId: one.systemId });
    expect(other.instance).not.toBe(one.instance);
  });

  test("says the same of a process each time, however long it runs", async () => {
    const primary = cluster.primary();
    const instances = new Set<string>();
    const until = performance.now() + 1_500;
    while (performance.now() < until) instances.add((await observe(primary)).instance);
    expect(instances.size).toBe(1);
  });

  test("sees the position grow with a write, and the mirror come up to it", async () => {
    const [primary, mirror] = cluster.nodes as readonly [LabNode, LabNode];
    await primary.query("CREATE TABLE IF NOT EXISTS moved (id int)");
    const before = (await observe(primary)).position ?? "";
    await primary.query("INSERT INTO moved VALUES (1)");
    const after = (await observe(primary)).position ?? "";
    expect(driver.positions.covers(before, after)).toBe(false);
    expect(driver.positions.covers(after, before)).toBe(true);
    await cluster.caughtUp();
    expect(driver.positions.covers((await observe(mirror)).position ?? "", after)).toBe(true);
  });

  test("sees the read-only switch", async () => {
    const primary = cluster.primary();
    await primary.readOnly(true);
    expect(await observe(primary)).toMatchObject({ isWritable: false });
    await primary.readOnly(false);
    expect(await observe(primary)).toMatchObject({ role: "primary", isWritable: true });
  });

  test("sees another instance after a restart, and a promotion also on an open connection", async () => {
    const [primary, mirror] = cluster.nodes as readonly [LabNode, LabNode];
    const was = await observe(primary);
    await new Promise((resolve) => setTimeout(resolve, 1_100)); // the start is known to the second
    await primary.restart();
    const is = await observe(primary);
    expect(is.instance).not.toBe(was.instance);
    const connection = await open(mirror);
    expect(await driver.probe(connection)).toMatchObject({ role: "mirror" });
    await cluster.caughtUp();
    const sample = (await observe(primary)).position ?? "";
    await primary.kill();
    await cluster.promote(mirror);
    const promoted = await driver.probe(connection);
    expect(promoted).toMatchObject({ role: "primary", isWritable: true });
    expect(driver.positions.covers(promoted.endOfRecovery ?? "", sample)).toBe(true);
    await connection.close();
  });
});
