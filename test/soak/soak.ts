import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createCluster, type LabCluster, type LabNode } from "@mirrorpool/lab";
import type { Measurement, Request } from "./protocol.ts";

export interface SoakOptions {
  readonly faults: number;
  readonly seed: number;
  readonly print: (text: string) => void;
}

export interface SoakReport {
  /** After the warm-up, at rest. */
  readonly before: Measurement;
  /** After all faults, at rest. */
  readonly after: Measurement;
  /** After `close()`. */
  readonly closed: Measurement;
}

const FAULT_EVERY_MS = 1000;
const ANSWER_MS = 30_000;

/** A pool in a process of its own under load, and a fault every second on the cluster below it. */
export async function soak({ faults, seed, print }: SoakOptions): Promise<SoakReport> {
  await using cluster = await createCluster({ mirrors: 2 });
  await cluster.primary().query("CREATE TABLE soak (token text)");
  await cluster.primary().query("ALTER TABLE soak OWNER TO app");
  const worker = fork(join(import.meta.dirname, "worker.ts"), [...cluster.urls], {
    execArgv: ["--expose-gc", "--conditions=mirrorpool-source"],
  });
  try {
    await answerOf(worker);
    // one round of everything first: code that is compiled and caches that are filled are no leak
    await ask(worker, "work");
    for (const [index, fault] of Object.entries(FAULTS)) await fault(cluster, pick(cluster, Number(index)));
    await settle(cluster);
    const before = await atRest(worker);
    await ask(worker, "work");
    const random = seeded(seed);
    for (let count = 0; count < faults; count += 1) {
      const startedAt = performance.now();
      const fault = FAULTS[Math.floor(random() * FAULTS.length)] ?? resetConnections;
      const node = pick(cluster, Math.floor(random() * cluster.nodes.length));
      print(`${String(count + 1).padStart(3)}  ${fault.name} ${node.name}`);
      await fault(cluster, node);
      await pause(Math.max(0, FAULT_EVERY_MS - (performance.now() - startedAt)));
    }
    await settle(cluster);
    const after = await atRest(worker);
    const closed = await ask(worker, "close");
    return { before, after, closed };
  } finally {
    if (worker.exitCode === null) {
      worker.kill("SIGKILL");
      await once(worker, "exit");
    }
  }
}

type Fault = (cluster: LabCluster, node: LabNode) => Promise<void>;

const BRIEF_MS = 500;

const resetConnections: Fault = async (_, node) => node.proxy.dropConnections();
const terminateBackends: Fault = async (_, node) => void (await node.terminateBackends());
const blackHole: Fault = async (_, node) => {
  await node.proxy.blackHole();
  await pause(BRIEF_MS);
  await node.proxy.heal();
};
const stall: Fault = async (_, node) => {
  await node.proxy.stall();
  await pause(BRIEF_MS);
  await node.proxy.heal();
};
const refuse: Fault = async (_, node) => {
  await node.proxy.refuse();
  await pause(BRIEF_MS);
  await node.proxy.heal();
};
const freeze: Fault = async (_, node) => {
  await node.freeze();
  await pause(BRIEF_MS);
  await node.thaw();
};
const restart: Fault = (_, node) => node.restart("immediate");
const readOnly: Fault = async (_, node) => {
  await node.readOnly(true);
  await pause(BRIEF_MS);
  await node.readOnly(false);
};
const failover: Fault = async (cluster) => {
  const former = cluster.primary();
  await former.kill();
  await cluster.promote(await cluster.mostAdvancedMirror());
  await cluster.rejoin(former);
};

const FAULTS: readonly Fault[] = [
  resetConnections,
  terminateBackends,
  blackHole,
  stall,
  refuse,
  freeze,
  restart,
  readOnly,
  failover,
];

function pick(cluster: LabCluster, index: number): LabNode {
  return cluster.nodes[index % cluster.nodes.length] as LabNode; // a cluster has nodes
}

/** Everything runs again and nothing disturbs it. */
async function settle(cluster: LabCluster): Promise<void> {
  for (const node of cluster.nodes) await node.proxy.heal();
  await cluster.caughtUp();
}

/** What the worker holds when its pool has come to rest: no more than it kept in the warm-up. */
async function atRest(worker: ChildProcess): Promise<Measurement> {
  await ask(worker, "rest");
  await pause(3000); // connections that were replaced are closed, and those kept ready are opened, every second
  return ask(worker, "measure");
}

async function ask(worker: ChildProcess, request: Request): Promise<Measurement> {
  const answer = answerOf(worker);
  worker.send(request);
  return answer;
}

async function answerOf(worker: ChildProcess): Promise<Measurement> {
  const ended = once(worker, "exit").then(([code]) => {
    throw new Error(`the worker ended with ${code}`);
  });
  const [answer] = await Promise.race([once(worker, "message", { signal: AbortSignal.timeout(ANSWER_MS) }), ended]);
  ended.catch(() => {}); // it ends sooner or later
  return answer as Measurement;
}

/** Numbers from 0 to just under 1, the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
