import { setTimeout as sleep } from "node:timers/promises";
import type { Query } from "../peers/query.ts";
import type { Told } from "./history.ts";

const RETRY_PAUSE_MS = 10;

export interface Workload {
  readonly writes: readonly Told[];
  /** Workers begin no more writes; resolves when those under way have ended, or after the limit. */
  stop(limitMs: number): Promise<void>;
}

/** Each worker writes one row after the other, and goes on after an error as an application would. */
export function startWorkload(query: Query, insert: string, workers: number, now: () => number): Workload {
  const writes: Told[] = [];
  let isStopped = false;
  const work = async (worker: number): Promise<void> => {
    for (let round = 0; !isStopped; round += 1) {
      const write: Told = {
        token: `${worker}-${round}`,
        startedAt: now(),
        endedAt: undefined,
        error: undefined,
      };
      writes.push(write);
      try {
        await query(insert, [write.token]);
      } catch (error) {
        write.error = error instanceof Error ? error.message : String(error);
      }
      write.endedAt = now();
      // an application that fails in a tight loop would only measure how fast it fails
      if (write.error !== undefined) await sleep(RETRY_PAUSE_MS);
    }
  };
  const all = Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)));
  return {
    writes,
    async stop(limitMs) {
      isStopped = true;
      await Promise.race([all, sleep(limitMs, undefined, { ref: false })]);
    },
  };
}
