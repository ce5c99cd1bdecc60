import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createPool } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";
import { describe, expect, test } from "vitest";

const ORDERS = 200;
/** Some orders must come before the failover, and many after it. */
const FAILOVER_AT_ORDER = 20;

/** What each example prints at its end, whatever happened on the way. */
const REPORT = [
  { product: "chair", orders: 66, sold: 99, left: 1, revenue: 8910 },
  { product: "desk", orders: 13, sold: 20, left: 0, revenue: 5000 },
  { product: "lamp", orders: 67, sold: 100, left: 400, revenue: 4000 },
];

interface Run {
  readonly report: unknown;
  /** One line for each order, in their order. */
  readonly orders: readonly string[];
  readonly errors: string;
}

/**
 * The tests of an example: `node src/main.ts CONFIG` in `examples/NAME`. It reads the primary's address from DATABASE_URL, or
 * all of them from DATABASE_URLS, migrates an empty database, prints `order N: OUTCOME` for each of its orders, then the report
 * as JSON.
 */
export function example(name: string): void {
  const folder = join(import.meta.dirname, "../../examples", name);

  describe(`examples/${name}`, () => {
    test("runs on one database", async () => {
      await using cluster = await bootCluster();
      expectAll(await run(folder, "plain.config.ts", cluster));
    });

    test("runs on a mirrored database by another configuration alone", async () => {
      await using cluster = await bootCluster();
      expectAll(await run(folder, "mirrored.config.ts", cluster));
    });

    test("loses and doubles no order when the primary is killed and a mirror takes over", async () => {
      await using cluster = await bootCluster();
      expectAll(await run(folder, "mirrored.config.ts", cluster, () => failOver(cluster)));
      expect(cluster.primary().name).not.toBe("node1");
    });

    test("has application code that does not know which of the two it runs on", () => {
      const sources = readdirSync(join(folder, "src"), { recursive: true, encoding: "utf8" })
        .filter((path) => path.endsWith(".ts"))
        .map((path) => readFileSync(join(folder, "src", path), "utf8"));
      expect(sources.length).toBeGreaterThan(0);
      for (const text of sources) expect(text).not.toMatch(/mirror/i);
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

/** Mirrored so that nothing acknowledged is lost, and with the ledger's table. */
async function bootCluster(): Promise<LabCluster> {
  const cluster = await createCluster({ mirrors: 2, synchronous: true });
  await using pool = createPool({ driver: postgres(), nodes: cluster.urls });
  await pool.query(pool.ledgerSchema());
  await cluster.caughtUp();
  return cluster;
}

async function failOver(cluster: LabCluster): Promise<void> {
  await cluster.primary().kill();
  await cluster.promote(await cluster.mostAdvancedMirror());
}

async function run(folder: string, config: string, cluster: LabCluster, fault?: () => Promise<void>): Promise<Run> {
  const child = spawn(process.execPath, ["--conditions=mirrorpool-source", "src/main.ts", config], {
    cwd: folder,
    env: { ...process.env, DATABASE_URL: cluster.primary().url, DATABASE_URLS: cluster.urls.join() },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 50_000,
  });
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const lines: string[] = [];
  let failure: Promise<void> | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line.startsWith(`order ${FAILOVER_AT_ORDER}:`) && fault !== undefined) {
      // it stands still until the fault is there: a busy machine must not let it finish before
      child.kill("SIGSTOP");
      failure = fault().finally(() => child.kill("SIGCONT"));
    }
  }
  await Promise.all([exited, failure]);
  const last = lines.pop() ?? "";
  return { report: last.startsWith("[") ? JSON.parse(last) : last, orders: lines, errors };
}
