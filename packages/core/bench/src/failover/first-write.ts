import { setTimeout as sleep } from "node:timers/promises";
import type { LabNode } from "@mirrorpool/lab";
import pg from "pg";

/** Between two attempts; each is one round trip. */
const EVERY_MS = 1;
const LIMIT_MS = 30_000;

/** Watches a mirror by a connection of its own. */
export interface Observer extends AsyncDisposable {
  /** Resolves when the connection could write, with the time of that. */
  firstWrite(): Promise<number>;
}

/** The connection is open before the fault: nothing of what is measured is its login. */
export async function observe(mirror: LabNode, now: () => number): Promise<Observer> {
  const client = new pg.Client(mirror.directUrl);
  client.on("error", () => {});
  await client.connect();
  return {
    async firstWrite() {
      const limit = now() + LIMIT_MS;
      for (;;) {
        try {
          await client.query("INSERT INTO promoted DEFAULT VALUES");
          return now();
        } catch (error) {
          if (now() >= limit) throw error;
          await sleep(EVERY_MS);
        }
      }
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}
