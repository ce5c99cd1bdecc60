import type { FailoverPool, ReservedConnection } from "@mirrorpool/core";
import { JobError } from "../../errors.ts";
import { numberOf } from "../../faults.ts";
import { ask } from "../../mysql/ask.ts";
import { createGtids, MariadbGtids } from "../../mysql/binlog/gtids.ts";
import { quoteText } from "../../mysql/quote.ts";
import type { Querier } from "../../querier.ts";

const inOneLine = (gtids: string | null | undefined): string => (gtids ?? "").replaceAll(/\s/g, "");

/** All transactions that a server has, its own and those of others. */
export async function readHas(on: Querier, isMariadb: boolean): Promise<string> {
  const text = isMariadb
    ? "SELECT CONCAT_WS(',', NULLIF(@@global.gtid_binlog_state, ''), NULLIF(@@global.gtid_slave_pos, '')) AS has"
    : "SELECT @@global.gtid_executed AS has";
  const [row] = await ask<{ has: string | null }>(on, text);
  return inOneLine(row?.has);
}

/** What a server has replicated: on MySQL that, and its own transactions. */
export async function readReplicated(on: Querier, isMariadb: boolean): Promise<string> {
  const text = isMariadb ? "SELECT @@global.gtid_slave_pos AS has" : "SELECT @@global.gtid_executed AS has";
  const [row] = await ask<{ has: string | null }>(on, text);
  return inOneLine(row?.has);
}

/**
 * Where the target's server is, as far as the source is concerned: what it has replicated, or what it has since the job began, where
 * that is more. Pure.
 * @param has what the source has
 */
export function positionOf(isMariadb: boolean, replicated: string, begun: string, has: string): string {
  const shared = createGtids(isMariadb, replicated).sharedWith(joined(begun, has));
  if (!isMariadb) return createGtids(false, joined(shared, begun)).toString();
  // a server has the last of each domain alone, whoever of the source wrote it
  return new MariadbGtids(shared).furthest(new MariadbGtids(begun)).toString();
}

const joined = (...gtids: readonly string[]): string => gtids.filter((each) => each !== "").join(",");

/** "This operation cannot be performed as you have a running slave". */
const RUNNING = 1198;

/**
 * Has a server go on from a position when it replicates. What it has of other sources stays as it is.
 * @param before on MySQL, with what the server is going to be told
 * @throws {JobError} `FOLLOW_FAILED` where other connections of MariaDB would have to be stopped for that
 */
export async function setReplicated(
  on: ReservedConnection,
  isMariadb: boolean,
  position: string,
  before: (missing: string) => Promise<void>,
): Promise<void> {
  if (!isMariadb) {
    const missing = await missingOf(on, position);
    if (missing === "") return;
    await before(missing);
    await setPurged(on, missing);
    return;
  }
  const [row] = await ask<{ replicated: string; own: string }>(
    on,
    "SELECT @@global.gtid_slave_pos AS replicated, @@global.gtid_binlog_pos AS own",
  );
  const { replicated = "", own = "" } = row ?? {};
  const wanted = new MariadbGtids(position);
  if (new MariadbGtids(new MariadbGtids(replicated).sharedWith(position)).covers(wanted.last)) return;
  // the server wants its own domain to be named too, as far as its log is
  const all = new MariadbGtids(replicated).furthest(new MariadbGtids(own)).replacedBy(wanted).last;
  try {
    await on.query(`SET GLOBAL gtid_slave_pos = ${quoteText(all)}`);
  } catch (error) {
    if (numberOf(error) !== RUNNING) throw error;
    const message =
      "the target's server replicates by other connections too, and takes a position only while all are stopped: STOP ALL SLAVES, follow again, and START ALL SLAVES when it streams";
    throw new JobError("FOLLOW_FAILED", message, { resumable: true });
  }
}

/** Tells the mirrors of a MySQL: what its primary has never written they could not get from there. */
export async function setOnMirrors(to: FailoverPool, gtids: string, signal: AbortSignal): Promise<void> {
  const { primary, nodes } = to.topology();
  for (const { id } of nodes) {
    if (id === primary) continue;
    const mirror = await to.reserve({ on: { node: id }, signal });
    try {
      const missing = await missingOf(mirror, gtids);
      if (missing !== "") await setPurged(mirror, missing);
    } finally {
      mirror.release();
    }
  }
}

async function missingOf(on: ReservedConnection, gtids: string): Promise<string> {
  const text = "SELECT GTID_SUBTRACT(?, @@global.gtid_executed) AS missing";
  const [row] = await ask<{ missing: string }>(on, text, [gtids]);
  return inOneLine(row?.missing);
}

async function setPurged(on: ReservedConnection, gtids: string): Promise<void> {
  await on.query(`SET GLOBAL gtid_purged = ${quoteText(`+${gtids}`)}`);
}
