import type { FailoverPool, ReservedConnection } from "@mirrorpool/core";
import type { TableName } from "../model.ts";
import { ask, type Querier, tell } from "../querier.ts";
import { formatLsn, type Lsn, parseLsn } from "./pgoutput.ts";
import { quoteName, quoteTable, quoteText } from "./quote.ts";

/** Values in the stream have the same texts as everywhere; the role's own settings do not matter. */
const OPTIONS = [
  "-c datestyle=ISO,YMD",
  "-c intervalstyle=postgres",
  "-c timezone=UTC",
  "-c extra_float_digits=1",
  "-c bytea_output=hex",
  "-c lc_monetary=C",
  "-c search_path=pg_catalog",
  "-c statement_timeout=0",
  "-c idle_in_transaction_session_timeout=0",
].join(" ");

/** A connection to the primary that speaks the replication protocol, and simple statements beside it. */
export function openReplication(pool: FailoverPool, signal: AbortSignal): Promise<ReservedConnection> {
  return pool.reserve({ on: "primary", parameters: { replication: "database", options: OPTIONS }, signal });
}

/** Which server, and on which timeline it writes. */
export interface Identity {
  readonly system: string;
  readonly timeline: number;
  readonly position: Lsn;
}

export async function identify(on: Querier): Promise<Identity> {
  const [row] = await ask<{ systemid: string; timeline: string; xlogpos: string }>(on, "IDENTIFY_SYSTEM");
  return {
    system: row?.systemid ?? "",
    timeline: Number(row?.timeline),
    position: parseLsn(row?.xlogpos ?? "0/0"),
  };
}

/** Where a timeline ended, in the history of the server's present one; undefined where it is not in it. */
export async function endOfTimeline(on: Querier, present: number, timeline: number): Promise<Lsn | undefined> {
  const [row] = await ask<{ content: string }>(on, `TIMELINE_HISTORY ${present}`);
  const content: unknown = row?.content;
  const text = content instanceof Uint8Array ? Buffer.from(content).toString("utf8") : String(content ?? "");
  for (const line of text.split("\n")) {
    const [number, lsn] = line.trim().split(/\s+/);
    if (Number(number) === timeline && lsn !== undefined) return parseLsn(lsn);
  }
  return undefined;
}

export interface Slot {
  /** What the source may have thrown away already. */
  readonly confirmed: Lsn;
  /** False where the source has thrown away what the slot was to keep. */
  readonly isUsable: boolean;
}

/** @returns besides, whether a connection uses it: what that was told last may still move it */
export async function findSlot(
  on: Querier,
  name: string,
): Promise<(Slot & { readonly isActive: boolean }) | undefined> {
  const [row] = await ask<{ confirmed: string | null; status: string | null; active: string }>(
    on,
    `SELECT confirmed_flush_lsn::text AS confirmed, wal_status AS status, active::text AS active FROM pg_replication_slots
     WHERE slot_name = ${quoteText(name)} AND database = current_database()`,
  );
  if (row === undefined) return undefined;
  const isUsable = row.confirmed !== null && row.status !== "lost";
  return { confirmed: parseLsn(row.confirmed ?? "0/0"), isUsable, isActive: row.active === "true" };
}

/** From here on slots can be kept on mirrors as well, where these are set up for it (`sync_replication_slots`). */
const FAILOVER_SLOTS = 170_000;

/** Makes the slot. Its view lives as long as the connection rests. */
export async function createSlot(
  on: ReservedConnection,
  name: string,
): Promise<{ readonly point: Lsn; readonly snapshot: string }> {
  const [server] = await ask<{ server_version_num: string }>(on, "SHOW server_version_num");
  const failover = Number(server?.server_version_num) >= FAILOVER_SLOTS ? ", FAILOVER" : "";
  const text = `CREATE_REPLICATION_SLOT ${quoteName(name)} LOGICAL pgoutput (SNAPSHOT 'export'${failover})`;
  const [row] = await ask<{ consistent_point: string; snapshot_name: string }>(on, text);
  return { point: parseLsn(row?.consistent_point ?? "0/0"), snapshot: row?.snapshot_name ?? "" };
}

/** Does nothing where there is none. One that is in use by a connection that was just lost is waited for. */
export async function dropSlot(on: Querier, name: string): Promise<void> {
  const [row] = await ask<{ pid: string | null }>(
    on,
    `SELECT active_pid::text AS pid FROM pg_replication_slots WHERE slot_name = ${quoteText(name)}`,
  );
  if (row === undefined) return;
  if (row.pid !== null) await ask(on, `SELECT pg_terminate_backend(${Number(row.pid)}, 5000)::text AS is_ended`);
  await ask(
    on,
    `SELECT pg_drop_replication_slot(slot_name)::text AS is_gone FROM pg_replication_slots WHERE slot_name = ${quoteText(name)}`,
  );
}

/** Says which tables are in the stream. A new one, or the same tables as before. */
export async function settlePublication(on: Querier, name: string, tables: readonly TableName[]): Promise<void> {
  const list = tables.map(quoteTable).join(", ");
  const [row] = await ask<{ name: string }>(
    on,
    `SELECT pubname AS name FROM pg_publication WHERE pubname = ${quoteText(name)}`,
  );
  if (row === undefined)
    await tell(on, `CREATE PUBLICATION ${quoteName(name)} FOR TABLE ${list} WITH (publish_via_partition_root = true)`);
  else await tell(on, `ALTER PUBLICATION ${quoteName(name)} SET TABLE ${list}`);
}

export async function dropPublication(on: Querier, name: string): Promise<void> {
  await tell(on, `DROP PUBLICATION IF EXISTS ${quoteName(name)}`);
}

export const startReplication = (slot: string, publication: string, from: Lsn): string =>
  `START_REPLICATION SLOT ${quoteName(slot)} LOGICAL ${formatLsn(from)} (proto_version '1', publication_names ${quoteText(quoteName(publication))})`;
