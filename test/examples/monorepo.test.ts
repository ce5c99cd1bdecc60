import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bootCluster, failOver, runApplication } from "./run-application.ts";

const ORDERS = 200;
const folder = join(import.meta.dirname, "../../examples/monorepo");

interface Summary {
  readonly transactions: number;
  readonly reads: number;
  readonly connections: Readonly<Record<string, number>>;
}

describe("examples/monorepo", () => {
  test("has two ORMs on one pool, each sees what the other wrote, and a failover goes unnoticed", async () => {
    await using cluster = await bootCluster();
    const { report, orders, errors } = await runApplication(folder, [], cluster, () => failOver(cluster));
    expect(errors).toBe("");
    expect(cluster.primary().name).not.toBe("node1");

    const placed = orders.filter((line) => line.startsWith("order "));
    expect(placed).toEqual(
      Array.from({ length: ORDERS }, (_, index) => `order ${index + 1}: ${index + 1} orders, ${index + 1} sold`),
    );
    expect(orders.filter((line) => line.startsWith("the primary is "))).toHaveLength(2);

    const { transactions, reads, connections } = report as Summary;
    expect(transactions).toBeGreaterThanOrEqual(ORDERS); // those of Kysely
    expect(reads).toBeGreaterThanOrEqual(ORDERS); // those of Knex
    for (const count of Object.values(connections)) expect(count).toBeLessThanOrEqual(5);

    const sessions = "SELECT pid FROM pg_stat_activity WHERE application_name = 'shop'";
    await expect.poll(() => cluster.primary().query(sessions), { timeout: 10_000 }).toEqual([]);
  });
});
