import { setTimeout as sleep } from "node:timers/promises";
import type { LabNode } from "@mirrorpool/lab";
import { createCluster } from "@mirrorpool/lab";
import type { System } from "../systems/system.ts";
import type { Contestant } from "./contestants.ts";
import { observe } from "./first-write.ts";
import { judge, type Outcome, whoAcknowledged } from "./history.ts";
import { createVirtualAddress } from "./virtual-address.ts";
import { startWorkload } from "./workload.ts";

/** How the primary is lost, and who promotes the mirror when. */
export interface Fault {
  readonly name: string;
  readonly strike: (primary: LabNode) => Promise<void>;
  /**
   * `at once`: the mirror is promoted right after the fault. `told`: when the client says that the primary is lost, or after
   * {@link MANAGER_MS} where it says nothing.
   */
  readonly promotion: "at once" | "told";
  /** So long after the promotion the former primary wakes up again; never where it is undefined. */
  readonly wakesAfterMs: number | undefined;
}

const WORKERS = 8;
const WARM_UP_MS = 500;
/** What a manager of the cluster takes to find a frozen primary, where nobody tells it. */
export const MANAGER_MS = 1000;
/** What a client gets to come back, after the promotion. */
const LIMIT_MS = 5000;
/** Of work after it is back: by then what it does wrong shows. */
const AFTER_MS = 300;
const AFTER_WAKING_MS = 1000;
const STOP_LIMIT_MS = 2500;

/** One client through one fault, on a cluster of its own. */
export async function run(system: System, contestant: Contestant, fault: Fault): Promise<Outcome> {
  await using cluster = await createCluster({ server: system.kind, mirrors: 1, proxies: false });
  const former = cluster.primary();
  const [mirror] = cluster.mirrors() as readonly [LabNode]; // one was asked for
  await prepare(system, former);
  await cluster.caughtUp();
  await using address = await createVirtualAddress(former.port);
  const virtualUrl = new URL(former.url);
  virtualUrl.port = String(address.port);
  const origin = performance.now();
  const now = (): number => performance.now() - origin;
  await using observer = await observe(system, mirror, now);
  const client = await contestant.open({ urls: cluster.urls, virtualUrl: virtualUrl.href });
  try {
    const insert = `INSERT INTO event (token) VALUES (${system.values[0]})`;
    const lost = new Promise<void>((resolve) => client.onLost?.(resolve));
    const workload = startWorkload(client.query, insert, WORKERS, now);
    await sleep(WARM_UP_MS);
    const faultAt = now();
    await fault.strike(former);
    if (fault.promotion === "told") await (client.onLost === undefined ? sleep(MANAGER_MS) : lost);
    const watching = observer.firstWrite();
    await cluster.promote(mirror);
    address.pointTo(mirror.port);
    const promotedAt = await watching;
    if (fault.wakesAfterMs !== undefined) {
      await sleep(fault.wakesAfterMs);
      await former.thaw();
      await sleep(AFTER_WAKING_MS);
    }
    while (!(await observer.hasTaken()) && now() - promotedAt < LIMIT_MS) await sleep(10);
    await sleep(AFTER_MS);
    await workload.stop(STOP_LIMIT_MS);
    const endedAt = now();
    const kept = await eventsOf(system, mirror);
    const all = new Map([...(former.isRunning ? await eventsOf(system, former) : []), ...kept]);
    return judge({
      writes: whoAcknowledged(workload.writes, all),
      faultAt,
      promotedAt,
      endedAt,
      newPrimary: mirror.directPort,
      kept: new Set(kept.keys()),
    });
  } finally {
    // some wait for hung connections for ever
    const closed = Promise.resolve(client[Symbol.asyncDispose]()).catch(() => {});
    await Promise.race([closed, sleep(STOP_LIMIT_MS, undefined, { ref: false })]);
  }
}

async function prepare({ failover }: System, primary: LabNode): Promise<void> {
  for (const text of failover.tables) await primary.query(text);
}

/** Tokens, with the port of the server that took the write. */
async function eventsOf({ failover }: System, node: LabNode): Promise<Map<string, number>> {
  await using connection = await failover.connect(node.directUrl);
  const { rows } = await connection.query<{ token: string; server: number }>("SELECT token, server FROM event");
  return new Map(rows.map(({ token, server }) => [token, server]));
}
