import { createPool, type FailoverPool } from "@mirrorpool/core";
import type { LabNode } from "@mirrorpool/lab";
import { mysql } from "@mirrorpool/mysql2";
import { compare, type FollowEvent, type Following, follow, type JobError } from "@mirrorpool/sync";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openPlace, type Place, pairsOf } from "./support.ts";

const PASSWORD = "ge'heim\\";

describe.each(pairsOf([["mariadb", "mariadb"]], [["mysql", "mysql"]]))(
  "by the servers' own replication: %s",
  (server) => {
    let from: Place;
    let to: Place;
    let admin: FailoverPool;
    let events: FollowEvent[];

    beforeAll(async () => {
      const domain: Record<string, string> = server === "mariadb" ? { gtid_domain_id: "7" } : {};
      [from, to] = await Promise.all([
        openPlace(server, 2, { settings: domain }),
        openPlace(server, 1, { settings: { server_id: "100" } }),
      ]);
      admin = adminOf(to);
      await from.cluster.primary().query(`CREATE USER repl@'%' IDENTIFIED BY 'ge''heim\\\\'`);
      await from.cluster.primary().query("GRANT REPLICATION SLAVE ON *.* TO repl@'%'");
      // who watches a primary that follows has to see by what
      if (server === "mariadb") await to.cluster.primary().query("GRANT SLAVE MONITOR ON *.* TO app@'%'");
      for (const place of [from, to])
        await place.run(
          "CREATE TABLE t (id int PRIMARY KEY, body varchar(20))",
          "CREATE TABLE other (id int PRIMARY KEY)",
        );
      await from.run("INSERT INTO t (id, body) VALUES (1, 'one'), (2, 'two')");
    });
    beforeEach(() => {
      events = [];
    });
    afterAll(async () => {
      await admin?.close({ timeoutMs: 0 });
      await Promise.all([from?.[Symbol.asyncDispose](), to?.[Symbol.asyncDispose]()]);
    });

    const adminOf = ({ cluster }: Place): FailoverPool =>
      createPool({
        driver: mysql(),
        nodes: cluster.nodes.map(({ name, adminUrl }) => ({ name, url: adminUrl.replace(/\/[^/]*$/, "/app") })),
      });
    const urlOf = ({ directPort }: LabNode, password = PASSWORD): string =>
      `mysql://repl:${encodeURIComponent(password)}@127.0.0.1:${directPort}`;
    const begin = (
      connection: (node: string) => string = (node) => urlOf(from.cluster.node(node)),
    ): Promise<Following> =>
      follow({
        from: from.pool,
        to: admin,
        tables: ["t"],
        native: { connection },
        onEvent: (event) => events.push(event),
      });
    const expectEqual = async (following: Following): Promise<void> => {
      await following.caughtUp({ timeoutMs: 30_000 });
      const options = { from: from.pool, to: to.pool, tables: ["t"], recheckMs: 10 };
      expect(await compare(options)).toMatchObject({ isEqual: true, differences: [] });
    };

    test("what stands in the way is refused with what to do, and the password is in no error or event", async () => {
      const refusal = await follow({
        from: from.pool,
        to: to.pool,
        tables: ["t"],
        native: { connection: urlOf(from.cluster.primary()) },
      }).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ code: "REFUSED" });
      expect((refusal as JobError).message).toMatch(/REPLICATION.SLAVE.ADMIN/);
      await using ownAdmin = adminOf(from);
      const own = await follow({
        from: from.pool,
        to: ownAdmin,
        tables: ["t"],
        native: { connection: urlOf(from.cluster.primary()) },
      }).catch((error: unknown) => error);
      expect((own as JobError).message).toContain("server_id");

      const following = await begin((node) => urlOf(from.cluster.node(node), "falsch"));
      await expect
        .poll(() => events.at(-1), { timeout: 20_000 })
        .toMatchObject({ reason: expect.stringMatching(/1045/) });
      expect(following.stats().state).toBe("interrupted");
      await following.remove();
      const nowhere = await begin(() => "mysql://repl:falsch@[");
      const errors = [refusal, own, await nowhere.ended.catch((error: unknown) => error)];
      await nowhere.remove();
      for (const each of [...errors, ...events]) {
        expect(String(each)).not.toContain("falsch");
        expect(JSON.stringify(each)).not.toContain("falsch");
      }
      await admin.query("DELETE FROM t");
    });

    test("it is set up and watched, goes on after a switchover of the source and a failover of the target, and is taken down", async () => {
      const following = await begin();
      await expectEqual(following);
      expect(following.stats()).toMatchObject({ state: "streaming", lagMs: 0, lagBytes: 0 });
      await from.run(
        "INSERT INTO t (id, body) VALUES (3, 'three')",
        "INSERT INTO other VALUES (1)",
        "DELETE FROM t WHERE id = 1",
      );
      await from.cluster.switchover("node2");
      await from.run("ALTER TABLE t ADD COLUMN more int DEFAULT 7");
      await from.run("UPDATE t SET body = 'zwei' WHERE id = 2");
      await expectEqual(following);
      await to.cluster.caughtUp();
      await to.cluster.primary().kill();
      await to.cluster.promote("node2");
      await from.run("INSERT INTO t (id, body) VALUES (4, 'four')");
      await expectEqual(following);
      await following.stop();
      await from.run("INSERT INTO t (id, body) VALUES (5, 'five')");
      const again = await begin();
      await expectEqual(again);
      expect((await to.pool.query("SELECT * FROM other")).rows).toEqual([]);
      expect(events.filter(({ type }) => type === "copied")).toHaveLength(1);

      // what the target has is lost on the source
      for (const each of from.cluster.mirrors()) if (each.isRunning) await each.replicate(false);
      await from.run("INSERT INTO t (id, body) VALUES (6, 'lost')");
      await again.caughtUp({ timeoutMs: 30_000 });
      await from.cluster.primary().kill();
      await from.cluster.promote("node3", { follow: false });
      await expect(again.ended).rejects.toMatchObject({ code: "GTIDS_LOST" });
      await again.remove();
      const status = server === "mysql" ? "SHOW REPLICA STATUS" : "SHOW ALL SLAVES STATUS";
      expect(await to.cluster.primary().query(status)).toEqual([]);
    });
  },
);
