import { setTimeout as sleep } from "node:timers/promises";
import type { FailoverPool, ReservedConnection } from "@mirrorpool/core";
import { BackupError } from "../errors.ts";
import { withSignal } from "../with-signal.ts";
import { MARK } from "./mark-name.ts";

/** A process that was killed leaves its session for a moment. */
const WAIT_MS = 10_000;
const RETRY_MS = 200;

/**
 * Keeps another restore from the same target, as long as its connection lives; where that is lost the rows of the steps still keep
 * two from doing the same.
 * @throws {BackupError} `TARGET_BUSY`
 */
export async function lockTarget(pool: FailoverPool, signal: AbortSignal | undefined): Promise<ReservedConnection> {
  const connection = await pool.reserve({ on: "primary", ...withSignal(signal) });
  try {
    const deadline = performance.now() + WAIT_MS;
    for (;;) {
      const { rows } = await connection.query<{ isOurs: boolean }>(
        `SELECT pg_try_advisory_lock(hashtextextended('${MARK}', 0)) AS "isOurs"`,
      );
      if (rows[0]?.isOurs === true) return connection;
      if (performance.now() > deadline)
        throw new BackupError("TARGET_BUSY", "another restore into this database is under way", { retryable: true });
      await sleep(RETRY_MS, undefined, withSignal(signal));
    }
  } catch (error) {
    connection.release();
    throw error;
  }
}
