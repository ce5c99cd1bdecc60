import type { TargetDialect } from "../dialect.ts";
import { BackupError } from "../errors.ts";
import type { Manifest } from "../format/manifest.ts";
import type { Target } from "./target.ts";

/**
 * Whether a restore of this backup with this plan has begun here.
 * @throws {BackupError} `TARGET_MARKED` where another one has
 */
export async function isBegun(
  dialect: TargetDialect,
  target: Target,
  manifest: Manifest,
  plan: string,
  mayResume: boolean,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const mark = await dialect.readMark(target, signal);
  if (mark === undefined) return false;
  const isSame = mark.backup === manifest.id && mark.plan === plan;
  if (isSame && mayResume) return true;
  const what = isSame
    ? "of this very backup"
    : `of ${mark.name}${mark.backup === manifest.id ? " with other options" : ""}`;
  throw new BackupError(
    "TARGET_MARKED",
    `the target holds an unfinished restore ${what}: let it end${isSame ? " (resume)" : ""}, or drop ${dialect.markName} and what it has restored`,
  );
}
