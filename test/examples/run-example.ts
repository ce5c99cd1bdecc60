import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ServerKind } from "@mirrorpool/lab";
import { describe, expect, test } from "vitest";
import { bootCluster, failOver, type Run, runApplication } from "./run-application.ts";

const ORDERS = 200;

/** What each example prints at its end, whatever happened on the way. */
const REPORT = [
  { product: "chair", orders: 66, sold: 99, left: 1, revenue: 8910 },
  { product: "desk", orders: 13, sold: 20, left: 0, revenue: 5000 },
  { product: "lamp", orders: 67, sold: 100, left: 400, revenue: 4000 },
];

/**
 * The tests of an example: `node src/main.ts CONFIG` in `examples/NAME`. It reads the primary's address from DATABASE_URL, or
 * all of them from DATABASE_URLS, migrates an empty database, prints `order N: OUTCOME` for each of its orders, then the report
 * as JSON.
 * @param servers besides PostgreSQL, on which it has to survive a failover
 */
export function example(name: string, servers: readonly ServerKind[] = ["mariadb"]): void {
  const folder = join(import.meta.dirname, "../../examples", name);

  describe(`examples/${name}`, () => {
    test("runs on one database", async () => {
      await using cluster = await bootCluster();
      expectAll(await runApplication(folder, ["plain.config.ts"], cluster));
    });

    test("runs on a mirrored database by another configuration alone", async () => {
      await using cluster = await bootCluster();
      expectAll(await runApplication(folder, ["mirrored.config.ts"], cluster));
    });

    test("loses and doubles no order when the primary is killed and a mirror takes over", async () => {
      await using cluster = await bootCluster();
      expectAll(await runApplication(folder, ["mirrored.config.ts"], cluster, () => failOver(cluster)));
      expect(cluster.primary().name).not.toBe("node1");
    });

    test("runs on MariaDB by another configuration alone", async () => {
      await using cluster = await bootCluster("mariadb");
      expectAll(await runApplication(folder, ["plain-mariadb.config.ts"], cluster));
    });

    test.each(servers)(
      "loses and doubles no order on %s either when the primary is killed and a mirror takes over",
      async (server) => {
        await using cluster = await bootCluster(server);
        expectAll(await runApplication(folder, ["mirrored-mariadb.config.ts"], cluster, () => failOver(cluster)));
        expect(cluster.primary().name).not.toBe("node1");
      },
    );

    test("has application code that does not know which of them it runs on", () => {
      const sources = readdirSync(join(folder, "src"), { recursive: true, encoding: "utf8" })
        .filter((path) => path.endsWith(".ts"))
        .map((path) => readFileSync(join(folder, "src", path), "utf8"));
      expect(sources.length).toBeGreaterThan(0);
      for (const text of sources) expect(text).not.toMatch(/mirror|postgres|mariadb|mysql/i);
    });
  });
}

function expectAll({ report, orders, errors }: Run): void {
  expect(errors).toBe("");
  expect(orders.map((line) => Number(/^order (\d+): /.exec(line)?.[1]))).toEqual(
    Array.from({ length: ORDERS }, (_, index) => index + 1),
  );
  expect(report).toEqual(REPORT);
}
