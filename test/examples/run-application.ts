import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { createPool } from "@mirrorpool/core";
import { createCluster, type LabCluster, type ServerKind } from "@mirrorpool/lab";
import { systemOf } from "../failover/support/system.ts";

/** Some orders must come before the failover, and many after it. */
const FAILOVER_AT_ORDER = 20;

export interface Run {
  /** The last line, from JSON. */
  readonly report: unknown;
  /** The lines before it, one for each order. */
  readonly orders: readonly string[];
  readonly errors: string;
}

/** Mirrored so that nothing acknowledged is lost, and with the ledger's table. */
export async function bootCluster(server: ServerKind = "postgres"): Promise<LabCluster> {
  const cluster = await createCluster({ server, mirrors: 2, synchronous: true });
  await using pool = createPool({ driver: systemOf(cluster.primary()).driver(), nodes: cluster.urls });
  await pool.query(pool.ledgerSchema());
  await cluster.caughtUp();
  return cluster;
}

export async function failOver(cluster: LabCluster): Promise<void> {
  await cluster.primary().kill();
  await cluster.promote(await cluster.mostAdvancedMirror());
}

/** Runs `src/main.ts` of a folder until its end, with the fault in the middle of its orders. */
export async function runApplication(
  folder: string,
  args: readonly string[],
  cluster: LabCluster,
  fault?: () => Promise<void>,
): Promise<Run> {
  const child = spawn(process.execPath, ["--conditions=mirrorpool-source", "src/main.ts", ...args], {
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
  return { report: /^[[{]/.test(last) ? JSON.parse(last) : last, orders: lines, errors };
}
