import { setTimeout as sleep } from "node:timers/promises";
import { type FailoverPool, type PoolStats, poolEventNames } from "@mirrorpool/core";
import type { Context } from "../context.ts";
import { table } from "../output/format.ts";
import { describe } from "./status.ts";

const MAX_EVENTS = 10;
/** Home, then what is there is overwritten, and the rest of the screen cleared: no flicker. */
const HOME = "\u001b[H";
const CLEAR_REST = "\u001b[J";
const [HIDE_CURSOR, SHOW_CURSOR, CLEAR] = ["\u001b[?25l", "\u001b[?25h", "\u001b[2J"];

/** A live view of roles, lag, pools and events, until Ctrl-C. Without a terminal: one line for each event and each change. */
export async function watch(context: Context, given: string | undefined, intervalMs: number): Promise<void> {
  const cluster = await context.cluster(given);
  const { output, signal } = context;
  const events: string[] = [];
  await context.withPool(cluster, async (pool) => {
    for (const name of poolEventNames)
      pool.on(name, (event) => {
        const at = new Date().toISOString();
        const text = `${at.slice(11, 23)} ${name} ${JSON.stringify(event)}`;
        events.unshift(text);
        events.length = Math.min(events.length, MAX_EVENTS);
        if (!output.isTerminal) output.item("event", { at, name, ...event }, () => text);
      });
    pool.start({ until: "readable", signal }).catch(() => {}); // what cannot be reached is shown
    if (output.isTerminal) output.raw(CLEAR + HIDE_CURSOR);
    try {
      await show(context, pool, cluster.name, events, intervalMs);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      if (output.isTerminal) output.raw(`${SHOW_CURSOR}\n`);
    }
  });
}

async function show(
  { output, signal }: Context,
  pool: FailoverPool,
  name: string,
  events: readonly string[],
  intervalMs: number,
): Promise<void> {
  let before = "";
  for (;;) {
    const topology = pool.topology();
    if (output.isTerminal) output.raw(HOME + screen(name, describe(topology), pool.stats(), events) + CLEAR_REST);
    else {
      // positions move all the time
      const shape = JSON.stringify([
        topology.epoch,
        topology.isWritable,
        topology.nodes.map((node) => [node.status, node.role]),
      ]);
      if (shape !== before)
        output.item("topology", { at: new Date().toISOString(), ...topology }, () => describe(topology));
      before = shape;
    }
    await sleep(intervalMs, undefined, { signal });
  }
}

function screen(name: string, nodes: string, stats: PoolStats, events: readonly string[]): string {
  const pools = table(
    ["pool", "in use", "idle", "waiting", "opened", "closed", "failed"],
    Object.entries(stats.nodes).map(([id, each]) => [
      id,
      ...[each.inUse, each.idle, each.waiting, each.opened, each.closed, each.failed].map(String),
    ]),
  );
  const recent = events.length === 0 ? "no events yet" : events.join("\n");
  const text = `${name}  ${new Date().toISOString().slice(0, 19)}Z  epoch ${stats.epoch}  (Ctrl-C ends)\n\n${nodes}\n\n${pools}\n\n${recent}\n`;
  return text.replaceAll("\n", "\u001b[K\n");
}
