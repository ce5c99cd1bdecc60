import { setTimeout as sleep } from "node:timers/promises";
import type { Query } from "../peers/query.ts";
import type { Write } from "./history.ts";

const RETRY_PAUSE_MS = 10;

export interface Workload {
  readonly writes: readonly Write[];
  /** Workers begin no more writes; resolves when those under way have ended, or after the limit. */
  stop(limitMs: number): Promise<void>;
}

/** Each worker writes one row after the other, and goes on after an error as an application would. */
export function startWorkload(query: Query, workers: number, now: () => number): Workload {
  const writes: Write[] = [];
  let isStopped = false;
  const work = async (worker: number): Promise<void> => {
    for (let round = 0; !isStopped; round += 1) {
      const write: Write = {
        token: `${worker}-${round}`,
        startedAt: now(),
        endedAt: undefined,
        server: undefined,
        error: undefined,
      };
      writes.push(write);
      try {
        const { rows } = await query<{ server: number }>("INSERT INTO event (token) VALUES ($1) RETURNING server", [
          write.token,
        ]);
        write.server = rows[0]?.server;
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
