import { setTimeout as sleep } from "node:timers/promises";
import { createPool, type FailoverPool, type PoolOptions, poolEventNames } from "@mirrorpool/core";
import type { LabCluster } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";
import type { DrillFault } from "./faults.ts";
import { Recorder } from "./recorder.ts";
import type { DrillReport, FaultReport } from "./report.ts";
import type { DrillWorkload } from "./workload.ts";

export interface DrillPlan {
  readonly workload: DrillWorkload;
  readonly name: string;
  readonly callers: number;
  readonly faults: readonly DrillFault[];
  /** Of quiet work before each fault, and after the last one. */
  readonly calmMs: number;
  /** For the pool, besides its nodes. */
  readonly pool: Omit<PoolOptions, "driver" | "nodes">;
  readonly onPhase: (phase: string, share: number) => void;
  readonly signal: AbortSignal;
}

const WRITABLE_MS = 30_000;
const MAX_EVENTS = 1000;
/** An operation that fails at once must not spin. */
const REST_MS = 10;

/** Runs a workload on a cluster through a list of faults, and records what the application sees. */
export async function drill(cluster: LabCluster, plan: DrillPlan): Promise<DrillReport> {
  const { workload, callers, faults, calmMs, onPhase, signal } = plan;
  const startedAt = new Date().toISOString();
  const nodes = cluster.nodes.map(({ name, url }) => ({ name, url }));
  const pool = createPool({ driver: postgres(), nodes, ...plan.pool });
  const stop = new AbortController();
  try {
    await pool.start({ signal });
    const { exactlyOnce } = plan.pool;
    if (exactlyOnce !== undefined && exactlyOnce !== false) await pool.query(pool.ledgerSchema());
    await workload.setup?.(pool);
    await cluster.caughtUp();
    const recorder = new Recorder();
    const events = recordEvents(pool, recorder);
    const either = AbortSignal.any([stop.signal, signal]);
    let sequence = 0;
    const load = Array.from({ length: callers }, (_, caller) =>
      call(pool, workload, recorder, caller, () => ++sequence, either),
    );
    const reports: FaultReport[] = [];
    for (const [index, fault] of faults.entries()) {
      onPhase(`calm before ${fault.name}`, index / faults.length);
      await sleep(calmMs, undefined, { signal });
      onPhase(fault.name, (index + 0.5) / faults.length);
      reports.push(await endure(cluster, pool, fault, recorder, signal));
    }
    await sleep(calmMs, undefined, { signal });
    stop.abort();
    await Promise.all(load);
    const durationMs = Math.round(recorder.now);
    onPhase("verify", 1);
    const problems = (await workload.verify?.(pool)) ?? [];
    const { done, failed, codes, errors, slots } = recorder;
    return {
      ...{ startedAt, durationMs, workload: plan.name, callers, mirrors: cluster.nodes.length - 1 },
      ...{ done, failed, codes, errors, faults: reports, slots, events, problems },
    };
  } finally {
    stop.abort();
    await pool.close({ timeoutMs: 1000 });
  }
}

function recordEvents(pool: FailoverPool, recorder: Recorder): DrillReport["events"] {
  const events: { at: number; name: string; event: object }[] = [];
  for (const name of poolEventNames)
    pool.on(name, (event) => {
      if (events.length < MAX_EVENTS) events.push({ at: Math.round(recorder.now), name, event });
    });
  return events;
}

async function call(
  pool: FailoverPool,
  workload: DrillWorkload,
  recorder: Recorder,
  caller: number,
  next: () => number,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const startedAt = recorder.now;
    try {
      await workload.run(pool, { caller, sequence: next(), signal });
      recorder.end(startedAt, undefined);
    } catch (error) {
      if (signal.aborted) return; // it was ended by the end of the drill
      recorder.end(startedAt, error);
      await sleep(REST_MS);
    }
  }
}

async function endure(
  cluster: LabCluster,
  pool: FailoverPool,
  fault: DrillFault,
  recorder: Recorder,
  signal: AbortSignal,
): Promise<FaultReport> {
  const at = Math.round(recorder.now);
  const [doneBefore, failedBefore] = [recorder.done, recorder.failed];
  const notes: { at: number; what: string }[] = [];
  recorder.watchGap();
  await fault.inject(cluster, (what) => void notes.push({ at: Math.round(recorder.now), what }), signal);
  let writableAt: number | undefined;
  await pool.start({ timeoutMs: WRITABLE_MS, signal }).then(
    () => {
      writableAt = Math.round(recorder.now);
    },
    () => signal.throwIfAborted(),
  );
  const longestGapMs = Math.round(recorder.longestGapMs);
  await fault.heal(cluster);
  return {
    ...{ name: fault.name, description: fault.description, at, writableAt, healedAt: Math.round(recorder.now) },
    ...{ longestGapMs, done: recorder.done - doneBefore, failed: recorder.failed - failedBefore, notes },
  };
}
