import { join } from "node:path";
import type { Login } from "../cluster/login.ts";
import type { Account } from "../platform/account.ts";
import { copyTree } from "../platform/copy-tree.ts";
import { FILLER } from "../platform/disk.ts";
import { write } from "../platform/files.ts";
import { withConnection } from "./sql.ts";

/**
 * What a base backup leaves out: the list of the manual, section "Making a Base Backup Using the Low Level API". Also
 * all WAL: the new mirror streams it from its primary, which keeps enough (wal_keep_size).
 */
const EMPTIED =
  /^pg_wal$|^(pg_replslot|pg_dynshmem|pg_notify|pg_serial|pg_snapshots|pg_stat_tmp|pg_subtrans)\/|(^|\/)pgsql_tmp/;
const LEFT_OUT =
  /^(postmaster\.(pid|opts)|standby\.signal|recovery\.signal|backup_label(\.old)?|tablespace_map(\.old)?)$/;
const CACHE = /(^|\/)pg_internal\.init/;

/** Where a base backup comes from and goes to. */
export interface BackupOptions {
  /** A superuser on the running primary. */
  readonly login: Login;
  /** The primary's major version. */
  readonly version: number;
  readonly from: string;
  /** An existing directory, with nothing in it but the place for the WAL. */
  readonly to: string;
  readonly account: Account | undefined;
  readonly signal: AbortSignal;
}

/** Copies the data directory of a running primary with the backup API: needs no `pg_basebackup`, which not all installations have. */
export async function baseBackup(options: BackupOptions): Promise<void> {
  const [start, stop] =
    options.version >= 15 ? ["pg_backup_start", "pg_backup_stop"] : ["pg_start_backup", "pg_stop_backup"];
  const label = await withConnection(
    options.login,
    async (ask) => {
      // both must be called on the same session
      await ask(`SELECT ${start}('mirrorpool-lab', true${options.version >= 15 ? "" : ", false"})`);
      await copyTree(options.from, options.to, {
        account: options.account,
        signal: options.signal,
        skip: (path) => path === FILLER || EMPTIED.test(path) || LEFT_OUT.test(path) || CACHE.test(path),
      });
      const [row] = await ask<{ label: string }>(
        options.version >= 15
          ? `SELECT labelfile AS label FROM ${stop}(false)`
          : `SELECT labelfile AS label FROM ${stop}(false, false)`,
      );
      return row?.label ?? "";
    },
    options.signal,
  );
  await write(join(options.to, "backup_label"), label, options.account);
}
