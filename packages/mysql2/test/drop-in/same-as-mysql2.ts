import { createCluster, type LabCluster, type ServerKind } from "@mirrorpool/lab";
import { createDropIn } from "@mirrorpool/mysql2";
import mysql2 from "mysql2";
import promises from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { servers } from "../server.ts";
import { clusterScripts } from "./cluster-scripts.ts";
import { connectionScripts } from "./connection-scripts.ts";
import { poolScripts } from "./pool-scripts.ts";
import { type Kit, type Script, show } from "./scripts.ts";
import { prepare, rejection, soon } from "./support.ts";

const onPool = Object.entries(poolScripts).map(([name, [script, options]]): [string, Script] => [
  name,
  async ({ mysql, at }, log) => {
    const pool = mysql.createPool({ ...at, ...options });
    try {
      await script(pool, log);
    } finally {
      await soon("the pool", new Promise((resolve) => pool.end(resolve)), 10_000);
    }
  },
]);

const all = [...onPool, ...Object.entries(connectionScripts), ...Object.entries(clusterScripts)];

const SHELVES = "DELETE FROM product; INSERT INTO product VALUES (1, 'one'), (2, 'two'), (3, 'three')";

/** What an older version of `mysql2` does not have, by the script's name: how that shows. */
type Missing = Readonly<Record<string, RegExp>>;

/** The same application on the module and on what stands in for it. To be called at the top of a test file. */
export function sameAsMysql2(version: string, on: readonly ServerKind[] = servers, missing: Missing = {}): void {
  describe.each(on)(`on %s, what an application sees is the same as with mysql2 ${version} itself:`, (server) => {
    let cluster: LabCluster;
    let admin: promises.Connection;

    beforeAll(async () => {
      cluster = await createCluster({ server, mirrors: 0, settings: { local_infile: "ON" } });
      await prepare(
        cluster,
        "CREATE TABLE product (id int PRIMARY KEY, name varchar(50))",
        "CREATE PROCEDURE twice() BEGIN SELECT 1 AS a; SELECT 2 AS b; END",
      );
      admin = await promises.createConnection({ uri: cluster.primary().directUrl, multipleStatements: true });
    });
    afterAll(async () => {
      await admin?.end();
      await cluster?.close();
    });

    async function observe(kit: Omit<Kit, "at">, script: Script): Promise<readonly unknown[]> {
      await admin.query(SHELVES);
      const seen: unknown[] = [];
      const at = { uri: cluster.primary().url };
      await soon(
        "the script",
        script({ ...kit, at }, (...values) => void seen.push(...values.map(show))),
        10_000,
      );
      return seen;
    }

    test.each(all)("%s", async (name, script) => {
      const original = observe({ mysql: mysql2, promises }, script);
      if (missing[name] !== undefined) {
        expect(String(await rejection(original))).toMatch(missing[name]);
        return;
      }
      const expected = await original;
      const dropIn = createDropIn();
      expect(expected.length).toBeGreaterThan(0);
      expect(await observe({ mysql: dropIn, promises: dropIn.promises }, script)).toEqual(expected);
    });
  });
}
