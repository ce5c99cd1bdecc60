import { setImmediate as turn } from "node:timers/promises";

/**
 * How callers work, and what a second is.
 *
 * - `steady`: for what waits for a server. Callers never pause, each operation is timed, seconds are those on the wall.
 * - `bursts`: for what never waits. Callers do {@link BURST} operations each, the first of them timed, then the event loop
 *   turns, since timers would starve otherwise. Seconds are those that this process has computed, all its threads
 *   together: what else runs on the machine takes nothing away.
 */
export type Pace = "steady" | "bursts";

/** Operations of one caller between two turns of the event loop. */
const BURST = 256;

/** What one client did in one cell of one round. */
export interface Measurement {
  readonly opsPerSecond: number;
  /** Duration of each timed operation, by the clock on the wall. */
  readonly latenciesMs: readonly number[];
}

/** Keeps `concurrency` callers busy for the given time; each awaits its operation before the next one. */
export async function measure(
  operation: () => Promise<number | undefined>,
  concurrency: number,
  pace: Pace,
  seconds: number,
): Promise<Measurement> {
  collectGarbage();
  const latenciesMs: number[] = [];
  let checksum = 0;
  let operations = 0;
  const timed = async (): Promise<void> => {
    const calledAt = performance.now();
    const value = await operation();
    operations += 1;
    if (value === undefined) return;
    checksum += value;
    latenciesMs.push(performance.now() - calledAt);
  };
  const burst = async (): Promise<void> => {
    await timed();
    for (let done = 1; done < BURST; done += 1) checksum += (await operation()) ?? 0;
    operations += BURST - 1;
  };
  const all = async (caller: () => Promise<void>): Promise<void> => {
    await Promise.all(Array.from({ length: concurrency }, caller));
  };

  const clock = pace === "steady" ? wallMs : cpuMs;
  const startedAt = clock();
  const isOver = (): boolean => clock() - startedAt >= seconds * 1000;
  if (pace === "steady") {
    await all(async () => {
      while (!isOver()) await timed();
    });
  } else {
    while (!isOver()) {
      await all(burst);
      await turn();
    }
  }
  const elapsedMs = clock() - startedAt;
  if (!Number.isFinite(checksum)) throw new Error("an operation did not answer with a number");
  return { opsPerSecond: (operations * 1000) / elapsedMs, latenciesMs };
}

/**
 * No client pays for the garbage of another. Only the young generation: a full collection would count towards the age at
 * which V8 throws code away that was not used of late, and so punish whoever's turn it is.
 */
function collectGarbage(): void {
  globalThis.gc?.({ type: "minor" });
}

const wallMs = (): number => performance.now();

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
