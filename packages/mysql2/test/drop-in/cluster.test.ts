import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { createPoolCluster } from "@mirrorpool/mysql2";
import type mysql2 from "mysql2";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { servers } from "../server.ts";
import { failOver, mend, openCore, prepare, soon, until } from "./support.ts";

/** With `mysql2` itself a node that is lost is removed, by an exception that nobody can catch. */
describe.each(servers)("a cluster of pools on %s", (server) => {
  let cluster: LabCluster;
  let pools: mysql2.PoolCluster;
  const events: unknown[] = [];
  const uncaught: unknown[] = [];
  const onUncaught = (error: unknown): void => void uncaught.push(error);

  beforeAll(async () => {
    cluster = await createCluster({ server, mirrors: 2, synchronous: true });
    await prepare(cluster, "CREATE TABLE visit (id int PRIMARY KEY)", openCore(cluster).ledgerSchema());
  });
  afterAll(() => cluster?.close());

  beforeEach(() => {
    process.on("uncaughtException", onUncaught);
    pools = createPoolCluster({ mirrorpool: { exactlyOnce: true, routing: { maxLagMs: 3_600_000 } } });
    for (const event of ["remove", "offline", "warn"]) pools.on(event, (...given) => events.push(event, ...given));
    for (const [index, { url }] of cluster.nodes.entries()) pools.add(index === 0 ? "MASTER" : `SLAVE${index}`, url);
  });
  afterEach(async () => {
    await soon("the end of the cluster", new Promise((resolve) => pools.end(resolve)));
    process.off("uncaughtException", onUncaught);
    await mend(cluster);
    expect([...events.splice(0), ...uncaught.splice(0)]).toEqual([]);
  });

  const ask = (pattern: string, sql: string, values: unknown[] = []): Promise<unknown> =>
    new Promise((resolve, reject) =>
      pools.of(pattern).query(sql, values, (error, answer) => (error ? reject(error) : resolve(answer))),
    );

  test("keeps all its names when nodes are killed, and answers under each of them", async () => {
    await ask("MASTER", "INSERT INTO visit VALUES (1)");
    for (const name of ["MASTER", "SLAVE1", "SLAVE2"]) expect(await ask(name, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    await failOver(cluster);
    await ask("MASTER", "INSERT INTO visit VALUES (2)");
    for (let i = 0; i < 5; i += 1) {
      expect(await ask("SLAVE*", "SELECT id FROM visit WHERE id < 10 ORDER BY id")).toEqual([{ id: 1 }, { id: 2 }]);
    }
    await (cluster.mirrors().find(({ isRunning }) => isRunning) ?? cluster.primary()).kill();
    for (const name of ["MASTER", "SLAVE1", "SLAVE2"]) {
      expect(await ask(name, "SELECT id FROM visit WHERE id = 2")).toEqual([{ id: 2 }]);
    }
  });

  test("gives writes to the primary under whatever name", async () => {
    for (const [index, name] of ["MASTER", "SLAVE1", "SLAVE2"].entries()) {
      await ask(name, "INSERT INTO visit VALUES (?)", [10 + index]);
    }
    const rows = await cluster.primary().query("SELECT count(*) AS n FROM app.visit WHERE id BETWEEN 10 AND 12");
    expect(Number(rows[0]?.["n"])).toBe(3);
  });

  test("finishes a transaction whose node is killed", async () => {
    const connection = await new Promise<mysql2.PoolConnection>((resolve, reject) =>
      pools.getConnection("MASTER", (error, given) => (error ? reject(error) : resolve(given))),
    );
    const promise = connection.promise();
    await promise.beginTransaction();
    await promise.query("INSERT INTO visit VALUES (20)");
    await failOver(cluster);
    await promise.query("INSERT INTO visit VALUES (21)");
    await promise.commit();
    connection.release();
    await until("both to be there", async () => {
      const rows = await cluster.primary().query("SELECT count(*) AS n FROM app.visit WHERE id IN (20, 21)");
      return Number(rows[0]?.["n"]) === 2;
    });
  });
});
