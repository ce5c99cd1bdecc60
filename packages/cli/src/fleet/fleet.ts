import { randomUUID } from "node:crypto";
import type { RestoreDelegate } from "@mirrorpool/backup";
import type { Delegate } from "@mirrorpool/sync";
import type { PgBoss } from "pg-boss";
import type { Context } from "../context.ts";
import { UsageError } from "../errors.ts";
import { type Answer, type Outcome, type Place, REQUESTS, type Request } from "./message.ts";
import { openQueue, RETRIES } from "./open-queue.ts";
import { Waiting } from "./waiting.ts";

const POLL_SECONDS = 0.5;
/** Answers that are taken at once. */
const BATCH = 100;
/** So long nothing is said when no worker answers. */
const PATIENCE_MS = 30_000;

/** How many units are given out at a time: several for each worker that there may be. */
export const UNITS_AT_A_TIME = 32;

/** Gives units of work out to `mirrorpool worker` processes, and waits for their answers. */
interface Fleet {
  delegate: Delegate & RestoreDelegate;
}

/** @throws {UsageError} for a cluster that was given as URLs */
export function requireNames(clusters: readonly string[]): void {
  if (clusters.some((each) => each.includes("://")))
    throw new UsageError("--queue: name the clusters as the configuration does, which every worker has to have");
}

/**
 * Leads a fleet for one job.
 * @param name the cluster that has the queue
 * @param place where the workers have to go; clusters by their names, since a queue is no place for passwords
 */
export async function withFleet<T>(
  context: Context,
  name: string,
  place: Place,
  work: (fleet: Fleet) => Promise<T>,
): Promise<T> {
  return context.withPool(await context.cluster(name), async (pool) => {
    await pool.start({ signal: context.signal });
    const queue = await openQueue(pool, context.output);
    const answers = `mirrorpool-answers-${randomUUID()}`;
    const waiting = new Waiting();
    try {
      await queue.createQueue(answers);
      let heardAt = performance.now();
      await queue.work<Answer>(answers, { batchSize: BATCH, pollingIntervalSeconds: POLL_SECONDS }, async (jobs) => {
        heardAt = performance.now();
        for (const { data } of jobs) waiting.answer(data.id, data.outcome);
      });
      let looking: Promise<void> | undefined;
      const timer = setInterval(() => {
        // what cannot be looked for now is looked for again
        looking ??= waiting
          .lookAfter(queue)
          .catch(() => {})
          .finally(() => {
            looking = undefined;
          });
        if (waiting.size === 0 || performance.now() - heardAt < PATIENCE_MS) return;
        heardAt = performance.now();
        context.output.warn("no worker has answered for a while: is any `mirrorpool worker` running?");
      }, POLL_SECONDS * 1000);
      try {
        return await work({ delegate: delegateBy(queue, { answers, place }, waiting) });
      } finally {
        clearInterval(timer);
        await looking;
      }
    } finally {
      // late answers of units that nobody waits for any more have nowhere to go, which their workers take in their stride
      await queue.offWork(answers).catch(() => {});
      await queue.deleteQueue(answers).catch(() => {});
      await queue.stop({ graceful: false }).catch(() => {});
    }
  });
}

function delegateBy(queue: PgBoss, to: Pick<Request, "answers" | "place">, waiting: Waiting): Fleet["delegate"] {
  const delegate = async (unit: Request["unit"], signal: AbortSignal): Promise<Outcome> => {
    signal.throwIfAborted();
    const id = randomUUID();
    const answered = waiting.wait(id, signal);
    answered.catch(() => {}); // sending may fail first
    try {
      await queue.send(REQUESTS, { ...to, id, unit } satisfies Request, { id, retryLimit: RETRIES });
      return await answered;
    } catch (error) {
      // nobody needs it any more; a worker that is at it finds out by itself
      await queue.deleteJob(REQUESTS, id).catch(() => {});
      throw error;
    } finally {
      waiting.leave(id);
    }
  };
  return delegate as Fleet["delegate"]; // each kind of unit has its own kind of outcome
}
