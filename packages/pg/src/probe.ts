import type { Connection, Observation } from "@mirrorpool/core";
import { endOfWal } from "./positions.ts";

/**
 * Everything in one round trip, and readable by an ordinary user. The timeline of a primary is that of the WAL it writes now
 * (`pg_control_checkpoint` is stale after a promotion); that of a mirror is what it receives, which only members of
 * pg_monitor may read: else it is unknown. The insert position is right also with `synchronous_commit = off`. On a promoted
 * server the replayed position stays what it was at the end of recovery, until it restarts.
 */
const PROBE = `
SELECT node.in_recovery,
       current_setting('default_transaction_read_only') = 'on' AS is_read_only,
       control.system_identifier::text AS system_id,
       extract(epoch FROM pg_postmaster_start_time())::text AS started,
       CASE WHEN node.in_recovery
            THEN (SELECT received_tli::text FROM pg_stat_wal_receiver)
            ELSE ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int::text
       END AS timeline,
       CASE WHEN node.in_recovery THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END::text AS position,
       pg_last_wal_replay_lsn()::text AS replayed,
       current_setting('synchronous_standby_names') <> ''
         AND current_setting('synchronous_commit') IN ('on', 'remote_write', 'remote_apply') AS is_synchronous,
       current_setting('wal_block_size')::int AS block_bytes,
       pg_size_bytes(current_setting('wal_segment_size'))::int AS segment_bytes
FROM pg_control_system() AS control, (SELECT pg_is_in_recovery() AS in_recovery OFFSET 0) AS node`;

interface ProbeRow {
  readonly in_recovery: boolean;
  readonly is_read_only: boolean;
  readonly system_id: string;
  readonly started: string;
  readonly timeline: string | null;
  readonly position: string | null;
  readonly replayed: string | null;
  readonly is_synchronous: boolean;
  readonly block_bytes: number;
  readonly segment_bytes: number;
}

/** Asks a node what it is. */
export async function probe(connection: Connection): Promise<Observation> {
  const { rows } = await connection.run({ text: PROBE });
  const row = rows[0] as unknown as ProbeRow; // the statement above returns exactly one
  const toEndOfWal = (lsn: string | null): string | undefined =>
    lsn === null ? undefined : endOfWal(lsn, row.block_bytes, row.segment_bytes);
  return {
    role: row.in_recovery ? "mirror" : "primary",
    isWritable: !row.in_recovery && !row.is_read_only,
    systemId: row.system_id,
    instance: row.started,
    timeline: row.timeline === null ? undefined : Number(row.timeline),
    position: toEndOfWal(row.position),
    endOfRecovery: row.in_recovery ? undefined : toEndOfWal(row.replayed),
    isSynchronous: row.is_synchronous && !row.in_recovery,
  };
}
