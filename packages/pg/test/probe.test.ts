import type { Connection, Observation } from "@mirrorpool/core";
import { createCluster, type LabCluster, type LabNode, type PostgresSystem } from "@mirrorpool/lab";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { driver, open } from "./server.ts";

const systems: readonly PostgresSystem[] = ["embedded", "system"];

describe.each(systems)("a probe by an ordinary user on %s PostgreSQL", (system) => {
  let cluster: LabCluster;

  beforeAll(async () => {
    cluster = await createCluster({ system, mirrors: 1 });
  });
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
    expect(one).toMatchObject({ role: "primary", isWritable: true, timeline: 1 });
    expect(other).toMatchObject({ role: "mirror", isWritable: false });
    // what a mirror receives may be read by members of pg_monitor only
    expect([undefined, 1]).toContain(other.timeline);
    expect(one.systemId).toMatch(/^\d+$/);
    expect(other.systemId).toBe(one.systemId);
    expect(other.instance).not.toBe(one.instance);
    expect((await observe(primary)).instance).toBe(one.instance);
  });

  test("sees the position grow with a write, and the mirror come up to it", async () => {
    const [primary, mirror] = cluster.nodes as readonly [LabNode, LabNode];
    await primary.query("CREATE TABLE IF NOT EXISTS moved (id int)");
    const before = (await observe(primary)).position ?? "";
    await primary.query("INSERT INTO moved VALUES (1)");
    const after = (await observe(primary)).position ?? "";
    expect(driver.positions.covers(before, after)).toBe(false);
    expect(driver.positions.distanceBytes(after, before)).toBeGreaterThan(0);
    await cluster.caughtUp();
    expect(driver.positions.covers((await observe(mirror)).position ?? "0/0", after)).toBe(true);
  });

  test("sees the read-only switch", async () => {
    const primary = cluster.primary();
    await primary.readOnly(true);
    expect(await observe(primary)).toMatchObject({ role: "primary", isWritable: false });
    await primary.readOnly(false);
    expect(await observe(primary)).toMatchObject({ isWritable: true });
  });

  test("sees another instance after a restart, and the next timeline after a promotion, also on an open connection", async () => {
    const [primary, mirror] = cluster.nodes as readonly [LabNode, LabNode];
    const was = await observe(primary);
    await primary.restart();
    const is = await observe(primary);
    expect(is.instance).not.toBe(was.instance);
    expect(is).toMatchObject({ systemId: was.systemId, timeline: 1 });
    const connection = await open(mirror);
    expect(await driver.probe(connection)).toMatchObject({ role: "mirror" });
    await primary.kill();
    await cluster.promote(mirror);
    expect(await driver.probe(connection)).toMatchObject({
      role: "primary",
      isWritable: true,
      timeline: 2,
      systemId: was.systemId,
    });
    await connection.close();
  });
});
