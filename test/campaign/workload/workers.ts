import { setTimeout as pause } from "node:timers/promises";
import type { Random } from "../../simulation/random.ts";
import type { Operation } from "../history.ts";
import type { Operations } from "./operations.ts";

const WORKERS = 6;
/** Between two operations of a worker: the load leaves the machine room for everything else. */
const PAUSE_MS = 10;

export interface Workers {
  /** No more operations are begun. Resolves when those under way have ended, or after the limit. */
  stop(limitMs: number): Promise<void>;
}

/** Starts the load: each worker does one operation after the other. */
export function startWorkers(operations: Operations, random: Random): Workers {
  const stopped = new AbortController();
  const work = async (own: Random): Promise<void> => {
    while (!stopped.signal.aborted) {
      await drawOperation(operations, own)();
      await pause(PAUSE_MS);
    }
  };
  const all = Promise.all(Array.from({ length: WORKERS }, () => work(random.fork())));
  return {
    async stop(limitMs) {
      stopped.abort();
      const limit = new AbortController();
      await Promise.race([all, pause(limitMs, undefined, { signal: limit.signal }).catch(() => {})]);
      limit.abort();
    },
  };
}

function drawOperation(operations: Operations, random: Random): () => Promise<Operation> {
  return random.weighted<() => Promise<Operation>>([
    [3, () => operations.transfer(random)],
    [1, () => operations.transferByHand(random)],
    [3, () => operations.append()],
    [2, () => operations.readModifyWrite(random)],
    [1, () => operations.sum()],
    [1, () => operations.readBack()],
  ]);
}
