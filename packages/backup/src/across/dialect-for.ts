import type { FailoverPool } from "@mirrorpool/core";
import type { LossyRule } from "@mirrorpool/sync";
import { dialectOf as syncDialectOf } from "@mirrorpool/sync/for-other-jobs";
import type { TargetDialect } from "../dialect.ts";
import type { OpenedBackup } from "../format/repository.ts";
import { createAcrossDialect } from "./dialect.ts";
import { systemOf } from "./pairs.ts";

/** How a backup is restored into the pool's database, of the same system or of another one. @param own that of the database */
export async function dialectFor(
  own: TargetDialect,
  pool: FailoverPool,
  backup: OpenedBackup,
  lossy: readonly LossyRule[] | undefined,
): Promise<TargetDialect> {
  const from = systemOf(backup.manifest);
  if (from === own.system) return own;
  const there = await syncDialectOf(pool);
  if (there === undefined) throw new Error("the server has no dialect"); // it had one a moment ago
  return createAcrossDialect(own, there, backup, { from, to: own.system, lossy: new Set(lossy) });
}
