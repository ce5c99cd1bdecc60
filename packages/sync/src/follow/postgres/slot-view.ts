import type { FailoverPool, ReservedConnection } from "@mirrorpool/core";
import type { View } from "../../dialect.ts";
import { createSlot, dropSlot, endOfTimeline, findSlot, identify, openReplication } from "../../postgres/slot.ts";
import { Snapshot } from "../../postgres/snapshot.ts";
import { ask } from "../../querier.ts";
import type { Start } from "../change-source.ts";
import { decideStart, formatPosition, type Position } from "./position.ts";

/** A new slot in place of any former one, and the view at its very beginning: nothing is between them. */
export async function openSlotView(
  from: FailoverPool,
  name: string,
  signal: AbortSignal,
): Promise<{ readonly view: View; readonly position: Position }> {
  const connection = await openReplication(from, signal);
  try {
    await dropSlot(connection, name);
    const { system, timeline } = await identify(connection);
    const { point, snapshot } = await createSlot(connection, name);
    const view = await Snapshot.take(from, connection.node, snapshot, signal);
    return { view, position: { system, timeline, lsn: point } };
  } finally {
    connection.release(); // the view lives on in those that have taken it
  }
}

/** What a position is worth on the server that the connection leads to. */
export async function examine(connection: ReservedConnection, name: string, position: Position): Promise<Start> {
  const source = await identify(connection);
  const slot = await findSlot(connection, name);
  const hasMoved = source.timeline !== position.timeline;
  const end = hasMoved ? await endOfTimeline(connection, source.timeline, position.timeline) : undefined;
  const start = decideStart(position, source, slot, end);
  if (start.type !== "continue") return start;
  return { type: "continue", position: formatPosition({ ...position, timeline: source.timeline }) };
}

const USUAL_STATUS_MS = 10_000;
const LEAST_STATUS_MS = 100;

/** A quarter of the time after which the source gives up whoever says nothing. */
export async function statusInterval(connection: ReservedConnection): Promise<number> {
  const text = "SELECT setting AS ms FROM pg_settings WHERE name = 'wal_sender_timeout'";
  const [row] = await ask<{ ms: string }>(connection, text);
  const timeoutMs = Number(row?.ms);
  return timeoutMs > 0 ? Math.max(LEAST_STATUS_MS, Math.min(USUAL_STATUS_MS, timeoutMs / 4)) : USUAL_STATUS_MS;
}
