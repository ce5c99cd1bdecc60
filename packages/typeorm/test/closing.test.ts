import { createPool } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";
import { mirroredPostgres } from "@mirrorpool/typeorm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { mirrorsSeen, notes, sessions, until, versions } from "./support.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 1 });
});
beforeEach(async () => {
  await cluster
    .primary()
    .query("DROP TABLE IF EXISTS note; CREATE TABLE note (id int PRIMARY KEY, body text NOT NULL)");
  await cluster.primary().query("GRANT ALL ON note TO app");
});
afterAll(() => cluster?.close());

const ended = (applicationName: string): Promise<void> =>
  until("the sessions to end", async () => (await sessions(cluster, applicationName)) === 0);

describe.each(versions)("%s", (version, { DataSource }) => {
  test("destroy() leaves no session open, and initialize() opens the pool anew", async () => {
    const applicationName = `alone on ${version}`;
    const options = { nodes: cluster.urls, applicationName };
    const db = new DataSource(mirroredPostgres({ type: "postgres", entities: [notes] }, options));
    for (let id = 1; id <= 2; id += 1) {
      await db.initialize();
      await db.getRepository(notes).save({ id, body: "kept" });
      expect(await db.getRepository(notes).countBy({ body: "kept" })).toBe(id);
      const left = db.createQueryRunner(); // neither committed nor released
      await left.startTransaction();
      await left.query("INSERT INTO note VALUES (9, 'left open')");
      await db.destroy();
      await ended(applicationName);
      expect(await cluster.primary().query("SELECT FROM note WHERE id = 9")).toEqual([]);
    }
  });

  test("two data sources of the same options are on one pool, which the last one closes", async () => {
    const applicationName = `two on ${version}`;
    const options = mirroredPostgres({ type: "postgres" }, { nodes: cluster.urls, applicationName });
    const [one, other] = await Promise.all([
      new DataSource(options).initialize(),
      new DataSource(options).initialize(),
    ]);
    await one.destroy();
    expect(await other.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
    expect(await sessions(cluster, applicationName)).toBeGreaterThan(0);
    await other.destroy();
    await ended(applicationName);
  });

  test("an initialize() that fails for want of a primary leaves nothing behind", async () => {
    const applicationName = `no primary on ${version}`;
    const nodes = cluster.mirrors().map(({ url }) => url);
    const options = mirroredPostgres({ type: "postgres", connectTimeoutMS: 1000 }, { nodes, applicationName });
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      const failed = new DataSource(options).initialize();
      await expect(failed).rejects.toMatchObject({ code: "NO_PRIMARY" });
      await ended(applicationName);
    }
  });

  test("data sources and others on one pool see what each of them has written; none of them closes it", async () => {
    await using pool = createPool({ driver: postgres(), nodes: cluster.urls });
    await mirrorsSeen(pool, 1);
    const open = (): Promise<InstanceType<typeof DataSource>> =>
      new DataSource(mirroredPostgres({ type: "postgres", entities: [notes] }, pool)).initialize();
    const [one, other] = [await open(), await open()];
    for (let id = 1; id <= 10; id += 1) {
      await one.getRepository(notes).insert({ id, body: "mine" });
      expect(await other.getRepository(notes).findOneBy({ id })).toEqual({ id, body: "mine" });
      await pool.query("UPDATE note SET body = 'yours' WHERE id = $1", [id]);
      expect(await one.getRepository(notes).findOneBy({ id })).toEqual({ id, body: "yours" });
    }
    await one.destroy();
    await other.destroy();
    expect((await pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  });

  test("a stream that is left early keeps no connection, also where TypeORM keeps its runner", async () => {
    await using pool = createPool({ driver: postgres(), nodes: cluster.urls, pool: { max: 2 } });
    const db = await new DataSource(mirroredPostgres({ type: "postgres", entities: [notes] }, pool)).initialize();
    await db.query("INSERT INTO note SELECT n, repeat('x', 1000) FROM generate_series(1, 2000) AS n");
    for (let run = 0; run < 10; run += 1) {
      for await (const _ of await db.getRepository(notes).createQueryBuilder().stream()) break;
    }
    expect(await db.getRepository(notes).countBy({})).toBe(2000);
    await db.destroy();
  });
});
