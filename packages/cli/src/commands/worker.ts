import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "../context.ts";
import { giveAnswer } from "../fleet/give-answer.ts";
import { REQUESTS, type Request } from "../fleet/message.ts";
import { openQueue } from "../fleet/open-queue.ts";
import { Workshop } from "../fleet/workshop.ts";

export interface WorkerFlags {
  readonly queue: string;
  readonly units?: number;
  readonly store?: string;
  readonly keyFile?: string;
}

const POLL_SECONDS = 0.5;
/** A unit in the middle is given up after so long at the end; it is another worker's then. */
const LEAVE_MS = 1000;

/** Does units of copies, comparisons and restores that others lead, until Ctrl-C. */
export async function runWorker(context: Context, flags: WorkerFlags): Promise<void> {
  const { output, signal } = context;
  await context.withPool(await context.cluster(flags.queue), async (pool) => {
    await pool.start({ signal });
    const queue = await openQueue(pool, output);
    const workshop = new Workshop(context, flags);
    let units = 0;
    try {
      const options = { localConcurrency: flags.units ?? 2, pollingIntervalSeconds: POLL_SECONDS };
      await queue.work<Request>(REQUESTS, options, async (jobs) => {
        for (const { data } of jobs) {
          const outcome = await workshop.run(data, signal);
          signal.throwIfAborted(); // somebody else's then
          units += 1;
          output.item("unit", { unit: data.unit, outcome: outcome.what }, () => `${describe(data)}: ${outcome.what}`);
          await giveAnswer(queue, data, outcome);
        }
      });
      output.item("worker", { state: "ready" }, () => "waiting for units");
      while (!signal.aborted) await sleep(60_000, undefined, { signal }).catch(() => {});
    } finally {
      await queue.stop({ graceful: true, timeout: LEAVE_MS }).catch(() => {});
      await workshop.close();
    }
    output.result({ units }, () => `${units} units done`);
  });
}

function describe({ unit }: Request): string {
  if (unit.kind === "copy") return `copy ${unit.job}, chunk ${unit.chunk}`;
  if (unit.kind === "compare") return `compare ${unit.table.schema}.${unit.table.name}`;
  return `restore ${unit.backup}, ${unit.file}`;
}
