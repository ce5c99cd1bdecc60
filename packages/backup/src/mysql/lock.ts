import { createHash } from "node:crypto";
import type { FailoverPool, ReservedConnection } from "@mirrorpool/core";
import { askMysql as ask } from "@mirrorpool/sync/for-other-jobs";
import { BackupError } from "../errors.ts";
import { withSignal } from "../with-signal.ts";
import { MARK } from "./mark-name.ts";

/** A process that was killed leaves its session for a moment. */
const WAIT_S = 10;

export async function lockTarget(pool: FailoverPool, signal: AbortSignal | undefined): Promise<ReservedConnection> {
  const connection = await pool.reserve({ on: "primary", ...withSignal(signal) });
  try {
    await connection.query("SET SESSION wait_timeout = 2147483");
    const [{ name } = { name: "" }] = await ask<{ name: string }>(connection, "SELECT DATABASE() AS name");
    // names of locks are of the whole server, and short
    const lock = `${MARK}.${createHash("sha256").update(name).digest("hex").slice(0, 40)}`;
    const text = `SELECT GET_LOCK(?, ${WAIT_S}) AS had`;
    const [row] = await ask<{ had: string | null }>(connection, text, [lock], signal);
    if (row?.had === "1") return connection;
    throw new BackupError("TARGET_BUSY", "another restore into this database is under way", { retryable: true });
  } catch (error) {
    connection.release();
    throw error;
  }
}
