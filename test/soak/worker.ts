import { setTimeout as pause } from "node:timers/promises";
import { createPool } from "@mirrorpool/core";
import { postgres } from "@mirrorpool/pg";
import { liveHandles } from "./live-handles.ts"; // first: it must see every timer and socket
import type { Measurement, Request } from "./protocol.ts";

/** The application under soak, in a process of its own, so that what it holds is the pool's and nobody else's. */
const WORKERS = 10;
const CALL_MS = 8000;

const pool = createPool({ driver: postgres(), nodes: process.argv.slice(2), timeouts: { statementMs: CALL_MS } });
const outcomes: Record<string, number> = {};
let longestCallMs = 0;
let uncaught = 0;
let isWorking = false;
let running: Promise<unknown> = Promise.resolve();
process.on("uncaughtException", (error) => {
  uncaught += 1;
  process.stderr.write(`${error.stack}\n`);
});
process.on("unhandledRejection", (reason) => {
  uncaught += 1;
  process.stderr.write(`unhandled: ${String(reason)}\n`);
});

async function count(work: () => Promise<unknown>): Promise<void> {
  const startedAt = performance.now();
  let outcome = "ok";
  try {
    await work();
  } catch (error) {
    // a name that says nothing is told with its message: the soak accepts only what the promise table names
    outcome = error instanceof Error && error.name !== "Error" ? error.name : String(error);
  }
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  longestCallMs = Math.max(longestCallMs, performance.now() - startedAt);
}

async function work(worker: number): Promise<void> {
  for (let round = 0; isWorking; round += 1) {
    const token = `${worker}-${round}`;
    await count(() => pool.query("INSERT INTO soak (token) VALUES ($1)", [token]));
    await count(() => pool.query("SELECT token FROM soak WHERE token = $1", [token]));
    await count(() =>
      pool.transaction(
        async (tx) => {
          await tx.query("SELECT 1");
          await tx.query("UPDATE soak SET token = token WHERE token = $1", [token]);
        },
        { retries: 5, timeoutMs: CALL_MS },
      ),
    );
    await count(async () => {
      await using session = await pool.connect();
      await session.query("SET search_path = public");
      await session.query("SELECT count(*) FROM soak");
    });
    await pause(5);
  }
}

function measure(): Measurement {
  globalThis.gc?.();
  return {
    heapUsedBytes: process.memoryUsage().heapUsed,
    sockets: liveHandles.sockets,
    timers: liveHandles.timers,
    outcomes,
    uncaught,
    longestCallMs,
  };
}

async function answer(request: Request): Promise<void> {
  if (request === "work" && !isWorking) {
    isWorking = true;
    running = Promise.all(Array.from({ length: WORKERS }, (_, worker) => work(worker)));
  }
  if (request === "rest" || request === "close") {
    isWorking = false;
    await running;
  }
  if (request === "close") await pool.close();
  process.send?.(measure());
}

process.on("message", (request: Request) => void answer(request));
await pool.start();
process.send?.(measure());
