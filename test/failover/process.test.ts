import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { mend } from "./support/cluster.ts";
import { until } from "./support/until.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 1 });
});
afterEach(() => mend(cluster));
afterAll(() => cluster?.close());

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a small application in a process of its own, on the given nodes. */
function runApplication(
  body: string,
  urls: readonly string[] = cluster.urls,
): { child: ChildProcess; ended: Promise<Ended> } {
  const code = `
    import { createPool } from "@mirrorpool/core";
    import { postgres } from "@mirrorpool/pg";
    process.on("unhandledRejection", (error) => { console.log("UNHANDLED", error); process.exit(3); });
    const pool = createPool({ driver: postgres(), nodes: ${JSON.stringify(urls)}, applicationName: "application" });
    ${body}`;
  const child = spawn(
    process.execPath,
    ["--conditions=mirrorpool-source", "--input-type=module", "--disable-warning=ExperimentalWarning", "--eval", code],
    { cwd: fileURLToPath(new URL("..", import.meta.url)), stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data: Buffer) => {
      output += data.toString();
    });
  const ended = new Promise<Ended>((resolve) => child.on("close", (exitCode) => resolve({ code: exitCode, output })));
  return { child, ended };
}

async function sessions(): Promise<number> {
  let sum = 0;
  for (const node of cluster.nodes) {
    const rows = await node.query("SELECT pid FROM pg_stat_activity WHERE application_name = 'application'");
    sum += rows.length;
  }
  return sum;
}

test("a process whose work is done ends by itself, although its pool was never closed", async () => {
  const { ended } = runApplication(`
    await pool.start();
    console.log((await pool.query("SELECT 1 AS one")).rows);
    await pool.transaction(async (tx) => { await tx.query("SELECT 2"); });
    console.log("done");`);
  const { code, output } = await ended;
  expect(output).toContain("done");
  expect(code).toBe(0);
});

test("a process whose pool was never closed ends by itself also when a node is in a black hole", async () => {
  await cluster.mirrors()[0]?.proxy.blackHole();
  const { ended } = runApplication(
    `await pool.query("CREATE TABLE IF NOT EXISTS dark (id int)"); console.log("done");`,
  );
  const { code, output } = await ended;
  expect(output).toContain("done");
  expect(code).toBe(0);
});

test("a call that waits holds the process until it is answered", async () => {
  await cluster.primary().kill();
  const { child, ended } = runApplication(
    `console.log("waiting"); await pool.query("CREATE TABLE IF NOT EXISTS late (id int)"); console.log("answered");`,
  );
  let isWaiting = false;
  child.stdout?.on("data", () => {
    isWaiting = true;
  });
  await until("the application to wait", () => isWaiting);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await cluster.primary().start();
  const { code, output } = await ended;
  expect(output).toContain("answered");
  expect(code).toBe(0);
});

test("close leaves no session, no socket and no timer", async () => {
  const { ended } = runApplication(`
    await pool.start();
    await Promise.all(Array.from({ length: 20 }, () => pool.query("SELECT pg_sleep(0.01)")));
    await pool.close();
    await pool.close();
    await new Promise((resolve) => setImmediate(resolve));
    console.log("LEFT", JSON.stringify(process.getActiveResourcesInfo().filter((each) => each !== "PipeWrap")));
    console.log(await pool.query("SELECT 1").catch((error) => error.code));`);
  const { code, output } = await ended;
  expect(output).toContain("LEFT []");
  expect(output).toContain("POOL_CLOSED");
  expect(code).toBe(0);
  await until("the servers to have let go", async () => (await sessions()) === 0);
});

test("close while everything is under way leaves no unhandled rejection, and nothing on the servers", async () => {
  const { ended } = runApplication(`
    await pool.query("CREATE TABLE IF NOT EXISTS busy (id int)");
    const calls = [];
    for (let i = 0; i < 30; i += 1) {
      calls.push(pool.query("SELECT pg_sleep(30)"));
      calls.push(pool.query("INSERT INTO busy SELECT 1 FROM pg_sleep(30)"));
      calls.push(pool.transaction(async (tx) => { await tx.query("SELECT pg_sleep(30)"); }, { retries: 3 }));
    }
    const busy = () => Object.values(pool.stats().nodes).some(({ inUse }) => inUse === 10);
    while (!busy()) await new Promise((resolve) => setTimeout(resolve, 10));
    const session = await pool.connect();
    calls.push(session.query("SELECT 1"), session.query("SELECT 2"), pool.pause(), pool.start());
    const all = Promise.allSettled(calls);
    const from = performance.now();
    await pool.close({ timeoutMs: 200 });
    console.log("CLOSED", performance.now() - from < 1500);
    const codes = new Set((await all).filter((each) => each.status === "rejected").map((each) => each.reason.code));
    console.log("CODES", [...codes].sort().join());`);
  const { code, output } = await ended;
  expect(output).toContain("CLOSED true");
  const codes = /CODES (.*)/.exec(output)?.[1]?.split(",") ?? [];
  expect(["COMMIT_UNKNOWN", "POOL_CLOSED", "TRANSACTION_LOST"]).toEqual(expect.arrayContaining(codes));
  expect(code).toBe(0);
  await until("the servers to have let go", async () => (await sessions()) === 0, 5_000);
});

test("a pool that was only made, and never used, opens nothing", async () => {
  const { ended } = runApplication(
    `console.log("LEFT", JSON.stringify(process.getActiveResourcesInfo().filter((each) => each !== "PipeWrap")));`,
  );
  expect(await ended).toMatchObject({ code: 0, output: expect.stringContaining("LEFT []") });
});
