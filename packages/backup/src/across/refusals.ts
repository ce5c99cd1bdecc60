import { BackupError } from "../errors.ts";

/** What keeps a backup from being restored into another system. */
export interface Refusal {
  readonly table: string;
  readonly column?: string;
  readonly reason: string;
}

const MAX_SHOWN = 10;

/** @throws {BackupError} `LOSS` with all of them, where there are some */
export function refuseIfAny(refusals: readonly Refusal[]): void {
  const [first] = refusals;
  if (first === undefined) return;
  const shown = refusals
    .slice(0, MAX_SHOWN)
    .map(({ table, column, reason }) => `${column === undefined ? table : `${table}: ${column}`}: ${reason}`);
  const more = refusals.length > MAX_SHOWN ? `; and ${refusals.length - MAX_SHOWN} more` : "";
  const message = `the target's system cannot hold what is in the backup, and no row was restored: ${shown.join("; ")}${more}`;
  throw new BackupError("LOSS", message, { subject: first.table });
}
