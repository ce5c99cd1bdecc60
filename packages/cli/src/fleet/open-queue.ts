import type { FailoverPool } from "@mirrorpool/core";
import type { PgBoss } from "pg-boss";
import { UsageError } from "../errors.ts";
import type { Output } from "../output/output.ts";
import { REQUESTS } from "./message.ts";

/** How often each process looks after units whose worker is gone. */
const LOOK_SECONDS = 3;
/** A worker that was not heard of in so long is gone, and its unit another one's. The least that pg-boss takes. */
const HEARTBEAT_SECONDS = 10;
const DAY_SECONDS = 86_400;
/** So many workers may end over one unit, one after the other, before the job is given up: perhaps the unit is why. */
export const RETRIES = 20;

/** The queue of a fleet: pg-boss, over a pool that survives a failover. */
export async function openQueue(pool: FailoverPool, output: Output): Promise<PgBoss> {
  const { PgBoss } = await import("pg-boss").catch(() => {
    throw new UsageError("a fleet needs pg-boss (12 or later, with Node.js 22.12 or later): npm install pg-boss");
  });
  const queue = new PgBoss({
    db: { executeSql: (text, values) => execute(pool, text, values) },
    schedule: false,
    superviseIntervalSeconds: LOOK_SECONDS,
    monitorIntervalSeconds: LOOK_SECONDS,
  });
  // what it does in the background it does again: a failover is no news to whoever waits for units
  queue.on("error", (error) => output.warn(`the queue: ${error.message}`));
  await queue.start();
  await queue.createQueue(REQUESTS, {
    heartbeatSeconds: HEARTBEAT_SECONDS,
    expireInSeconds: DAY_SECONDS - 1,
    retryLimit: RETRIES,
    deleteAfterSeconds: DAY_SECONDS,
  });
  return queue;
}

/** It may be several statements with a transaction around them: each text has a session to itself. */
async function execute(
  pool: FailoverPool,
  text: string,
  values: unknown[] | undefined,
): Promise<{ rows: Record<string, unknown>[] }> {
  const session = await pool.connect();
  try {
    const { rows } = await session.query(text, values);
    return { rows: [...rows] };
  } finally {
    session.release();
  }
}
