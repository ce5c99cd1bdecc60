import { existsSync, readdirSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createCluster, sweep } from "../src/index.ts";
import { until } from "../src/wait.ts";
import { type Child, runChild } from "./children.ts";
import { claimsOf, NO_TRACES, posixSegmentsOf, sharedMemoryIds, sharedMemoryOf, tracesIn } from "./traces.ts";

// each test has a home of its own, so that other labs on this machine are not counted
let parent: string;
let home: string;
beforeEach(async () => {
  parent = await mkdtemp(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "lab-cleanup-"));
  await chmod(parent, 0o755);
  home = join(parent, `mirrorpool-lab-${process.getuid?.()}`);
});
// every test has to end what it started: without its watchdog a killed lab would go on in a folder that is gone
afterEach(async () => {
  try {
    await until("the home to be empty", () => JSON.stringify(tracesIn(home)) === JSON.stringify(NO_TRACES), {
      timeoutMs: 10_000,
      explain: () => JSON.stringify(tracesIn(home)),
    });
  } finally {
    sweep(parent);
    await rm(parent, { recursive: true, force: true });
  }
});

async function startChild(ending: string, ...more: readonly string[]) {
  const child = runChild("./children/lab.ts", [parent, ending, ...more]);
  await child.says("up");
  return child;
}

/** Asserts that a cluster is there now. @returns its shared memory segments */
function expectTraces(child: Child): readonly string[] {
  const traces = tracesIn(home);
  expect(traces.processes.length).toBeGreaterThan(8);
  expect(traces.watchdogs).toHaveLength(1);
  expect(traces.folders).toHaveLength(1);
  expect(claimsOf(child.process.pid)).toHaveLength(4);
  const ids = sharedMemoryOf(home);
  expect(ids).toHaveLength(2);
  return ids;
}

async function expectNoTraces(child: Child | undefined, segments: readonly string[] = []): Promise<void> {
  await until("all traces to be gone", () => JSON.stringify(tracesIn(home)) === JSON.stringify(NO_TRACES), {
    timeoutMs: 10_000,
    explain: () => JSON.stringify(tracesIn(home)),
  });
  expect(claimsOf(child?.process.pid ?? process.pid)).toEqual([]);
  const left = sharedMemoryIds();
  expect(segments.filter((id) => left.has(id))).toEqual([]);
}

test.each<[ending: string, result: number]>([
  ["last-line", 0],
  ["close", 0],
  ["exit", 7],
  ["exception", 1],
])("a process that ends by %s leaves nothing behind", async (ending, result) => {
  const child = await startChild(ending);
  expect(await child.ended).toBe(result);
  await expectNoTraces(child);
  expect(readdirSync(parent)).toEqual([]);
});

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "a process that is ended by %s leaves nothing behind, and is seen to have ended by it",
  async (signal) => {
    const child = await startChild("wait");
    const segments = expectTraces(child);
    child.process.kill(signal);
    expect(await child.ended).toBe(signal);
    await expectNoTraces(child, segments);
  },
);

test("an application that handles the signal itself keeps its cluster until it ends", async () => {
  const child = await startChild("own-handler");
  const segments = expectTraces(child);
  child.process.kill("SIGTERM");
  expect(await child.ended).toBe(0);
  expect(child.output()).toContain("goodbye");
  await expectNoTraces(child, segments);
});

test("after kill -9 the watchdog ends the servers and removes the files; the next sweep frees the ports", async () => {
  const child = await startChild("wait");
  const segments = expectTraces(child);
  child.process.kill("SIGKILL");
  await until("the watchdog to be done", () => tracesIn(home).folders.length === 0);
  sweep(parent);
  await expectNoTraces(child, segments);
  expect(readdirSync(parent)).toEqual([]);
});

test("after kill -9 of the watchdog too, the next cluster sweeps", async () => {
  const child = await startChild("wait");
  const segments = expectTraces(child);
  for (const pid of tracesIn(home).watchdogs) process.kill(pid, "SIGKILL");
  child.process.kill("SIGKILL");
  await child.ended;
  expect(tracesIn(home).processes.length).toBeGreaterThan(8);
  const cluster = await createCluster({ mirrors: 0, dataDir: parent });
  expect(tracesIn(home).folders).toHaveLength(1);
  await cluster.close();
  await expectNoTraces(child, segments);
});

test("a sweep leaves the clusters of living processes alone", async () => {
  const [first, second] = await Promise.all([startChild("wait"), startChild("wait")]);
  await using own = await createCluster({ mirrors: 0, dataDir: parent });
  for (const pid of tracesIn(home).watchdogs) process.kill(pid, "SIGKILL");
  const before = tracesIn(home);
  expect(before.folders).toHaveLength(3);
  expect(sweep(parent)).toEqual([]);
  expect(tracesIn(home).processes).toEqual(expect.arrayContaining(before.processes.slice(0, 1)));
  expect(tracesIn(home).folders).toEqual(before.folders);
  expect(await own.primary().query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
  first.process.kill("SIGKILL");
  await first.ended;
  expect(sweep(parent)).toHaveLength(1);
  expect(tracesIn(home).folders).toHaveLength(2);
  expect(second.process.exitCode).toBeNull();
  second.process.kill("SIGTERM");
  await second.ended;
  await own.close();
  await expectNoTraces(second);
});

test("several processes that start, sweep and end at once do not disturb each other", async () => {
  const dead = await startChild("wait");
  for (const pid of tracesIn(home).watchdogs) process.kill(pid, "SIGKILL");
  dead.process.kill("SIGKILL");
  await dead.ended;
  const children = await Promise.all(Array.from({ length: 4 }, () => startChild("close")));
  expect(await Promise.all(children.map((child) => child.ended))).toEqual([0, 0, 0, 0]);
  for (const child of [dead, ...children]) await expectNoTraces(child);
  expect(readdirSync(parent)).toEqual([]);
});

test("a process whose start was aborted leaves nothing behind", async () => {
  for (const ms of [1, 200, 600, 800]) {
    await createCluster({ dataDir: parent, signal: AbortSignal.timeout(ms) }).then(
      (cluster) => cluster.close(),
      () => {},
    );
  }
  await expectNoTraces(undefined);
  expect(readdirSync(parent)).toEqual([]);
});

test("signal and exit handlers are there only while a cluster is", async () => {
  const events = ["exit", "SIGINT", "SIGTERM", "SIGHUP"] as const;
  const listeners = () => events.map((event) => process.listenerCount(event));
  const before = listeners();
  const first = await createCluster({ mirrors: 0, dataDir: parent });
  const second = await createCluster({ mirrors: 0, dataDir: parent });
  expect(listeners()).toEqual(before.map((count) => count + 1));
  await first.close();
  expect(listeners()).toEqual(before.map((count) => count + 1));
  await second.close();
  expect(listeners()).toEqual(before);
});

test("clusters that are closed leave no shared memory, also after kills and rejoins", async () => {
  const cluster = await createCluster({ dataDir: parent, mirrors: 1 });
  const segments = new Set(sharedMemoryOf(home));
  await cluster.primary().kill();
  await cluster.promote("node2");
  await cluster.rejoin("node1");
  for (const id of sharedMemoryOf(home)) segments.add(id);
  expect(segments.size).toBe(3);
  await cluster.node("node1").kill();
  await cluster.close();
  await expectNoTraces(undefined, [...segments]);
});

test("servers keep their dynamic shared memory in their own folder, not in /dev/shm", async () => {
  await using cluster = await createCluster({ dataDir: parent, mirrors: 0 });
  const [row] = await cluster.primary().query<{ type: string }>("SHOW dynamic_shared_memory_type");
  expect(Object.values(row ?? {})).toEqual(["mmap"]);
});

test.runIf(process.platform === "linux").each(["SIGTERM", "SIGKILL"] as const)(
  "POSIX shared memory, where the settings ask for it, goes with the servers after %s",
  async (signal) => {
    const child = await startChild("wait", JSON.stringify({ settings: { dynamic_shared_memory_type: "posix" } }));
    const segments = new Set(tracesIn(home).processes.flatMap(posixSegmentsOf));
    expect(segments.size).toBeGreaterThanOrEqual(2);
    child.process.kill(signal);
    await child.ended;
    await expectNoTraces(undefined);
    expect([...segments].filter((path) => existsSync(path))).toEqual([]);
    sweep(parent);
    expect(claimsOf(child.process.pid)).toEqual([]);
  },
);

test.each(["SIGTERM", "SIGKILL"] as const)(
  "MariaDB's servers and files go as PostgreSQL's do after %s",
  async (signal) => {
    const child = await startChild("wait", JSON.stringify({ server: "mariadb" }));
    expect(tracesIn(home).processes).toHaveLength(2);
    // of each server: its own, the lab's, the proxy's
    expect(claimsOf(child.process.pid)).toHaveLength(6);
    child.process.kill(signal);
    await child.ended;
    await until("the files to be removed", () => tracesIn(home).folders.length === 0);
    sweep(parent);
    await expectNoTraces(child);
  },
);
