import { setTimeout as sleep } from "node:timers/promises";
import type { LabNode } from "@mirrorpool/lab";
import type { System } from "../systems/system.ts";

/** Between two attempts; each is one round trip. */
const EVERY_MS = 1;
const LIMIT_MS = 30_000;

/** Watches a mirror by a connection of its own. */
export interface Observer extends AsyncDisposable {
  /** Resolves when the connection could write, with the time of that. */
  firstWrite(): Promise<number>;
  /** Whether it has taken a write of the workload itself. */
  hasTaken(): Promise<boolean>;
}

/** The connection is open before the fault: nothing of what is measured is its login. */
export async function observe({ failover }: System, mirror: LabNode, now: () => number): Promise<Observer> {
  const connection = await failover.connect(mirror.directUrl);
  return {
    async firstWrite() {
      const limit = now() + LIMIT_MS;
      for (;;) {
        try {
          await connection.query(failover.writePromoted);
          return now();
        } catch (error) {
          if (now() >= limit) throw error;
          await sleep(EVERY_MS);
        }
      }
    },
    async hasTaken() {
      const { rows } = await connection.query(`SELECT 1 FROM event WHERE server = ${mirror.directPort} LIMIT 1`);
      return rows.length > 0;
    },
    [Symbol.asyncDispose]: async () => connection[Symbol.asyncDispose](),
  };
}
