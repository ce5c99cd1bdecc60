import type { FailoverPool } from "@mirrorpool/core";
import type { Bridge } from "../dialects.ts";
import { JobError } from "../errors.ts";
import { codeOf, isPassing } from "../faults.ts";
import { isIndex, type SetAside } from "../model.ts";
import { onPrimary } from "../querier.ts";
import type { CopyPlan } from "./plan.ts";

/** What it takes to bring back what was set aside. */
export interface BringBackWork {
  readonly bridge: Bridge;
  readonly to: FailoverPool;
  readonly job: string;
  /** So many indexes are made at a time. */
  readonly connections: number;
  readonly signal: AbortSignal;
}

/**
 * Brings everything back that is away: indexes first, which foreign keys look up. May be done again as often as it takes.
 * @throws {JobError} `CONSTRAINT_FAILED` with what the rows break
 */
export async function bringBack(work: BringBackWork, setAside: readonly SetAside[]): Promise<void> {
  await bringEach(work, setAside.filter(isIndex), work.connections);
  await bringEach(
    work,
    setAside.filter((each) => !isIndex(each)),
    1,
  );
}

/** Of a copy that is gone on with: its finished chunks are looked at by their keys, and the target's catalogue tells of those. */
export async function bringKeysBack(work: BringBackWork): Promise<void> {
  const stored = await work.bridge.target.state.load(onPrimary(work.to), work.job);
  if (stored?.state !== "running" || stored.kind !== "copy") return;
  const { setAside } = JSON.parse(stored.plan) as CopyPlan;
  await bringEach(
    work,
    setAside.filter(({ kind }) => kind === "key"),
    work.connections,
  );
}

async function bringEach(work: BringBackWork, setAside: readonly SetAside[], connections: number): Promise<void> {
  const { bridge, to, job } = work;
  const failed = new AbortController();
  const signal = AbortSignal.any([work.signal, failed.signal]);
  const queue = setAside.values();
  const bring = async (): Promise<void> => {
    for (const obstacle of queue) {
      signal.throwIfAborted();
      try {
        await bridge.target.bringBack(to, obstacle, signal);
      } catch (error) {
        const reason = signal.aborted || isPassing(error) ? error : failure(job, obstacle, error);
        failed.abort(reason);
        throw reason;
      }
    }
  };
  await Promise.allSettled(Array.from({ length: Math.min(connections, setAside.length) }, bring));
  work.signal.throwIfAborted();
  failed.signal.throwIfAborted(); // the first error counts; the others come of it
}

function failure(job: string, { name, table }: SetAside, cause: unknown): JobError {
  const message = `${name} on ${table} could not be brought back over the rows that the copy ${job} has written (${codeOf(cause) ?? "no code"}). Mend that and run the same copy again: it goes on here`;
  return new JobError("CONSTRAINT_FAILED", message, { cause, resumable: true });
}
