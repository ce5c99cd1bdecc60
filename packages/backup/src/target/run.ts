import { BackupError } from "../errors.ts";
import type { Manifest } from "../format/manifest.ts";
import { MARK, type Target } from "./target.ts";

const SCHEMA = `
CREATE SCHEMA ${MARK};
COMMENT ON SCHEMA ${MARK} IS 'A restore is under way, or was not finished: the database is not complete. Run it again, or drop this schema and what it has restored.';
CREATE TABLE ${MARK}.run (backup text NOT NULL, name text NOT NULL, plan text NOT NULL, started_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE ${MARK}.step (name text PRIMARY KEY);
CREATE TABLE ${MARK}.undo (id int GENERATED ALWAYS AS IDENTITY, text text NOT NULL)`;

interface RunRow {
  readonly backup: string;
  readonly name: string;
  readonly plan: string;
}

/** The restore that the target is marked with. */
export async function readMark(target: Target, signal: AbortSignal | undefined): Promise<RunRow | undefined> {
  const [{ exists } = { exists: false }] = await target.ask<{ exists: boolean }>(
    `SELECT to_regclass('${MARK}.run') IS NOT NULL AS exists`,
    [],
    signal,
  );
  if (!exists) return undefined;
  const [row] = await target.ask<RunRow>(`SELECT backup, name, plan FROM ${MARK}.run`, [], signal);
  return row;
}

/**
 * Whether a restore of this backup with this plan has begun here.
 * @throws {BackupError} `TARGET_MARKED` where another one has
 */
export async function isBegun(
  target: Target,
  manifest: Manifest,
  plan: string,
  mayResume: boolean,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const mark = await readMark(target, signal);
  if (mark === undefined) return false;
  const isSame = mark.backup === manifest.id && mark.plan === plan;
  if (isSame && mayResume) return true;
  const what = isSame
    ? "of this very backup"
    : `of ${mark.name}${mark.backup === manifest.id ? " with other options" : ""}`;
  throw new BackupError(
    "TARGET_MARKED",
    `the target holds an unfinished restore ${what}: let it end${isSame ? " (resume)" : ""}, or drop the schema ${MARK} and what it has restored`,
  );
}

/** Marks the target: from now on it is not complete, and everybody can see that. */
export async function mark(
  target: Target,
  manifest: Manifest,
  plan: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await target.transaction("marking the target", signal, async (connection) => {
    // a COMMIT that was lost may have been one
    const { rows } = await connection.query<{ exists: boolean }>(
      `SELECT to_regclass('${MARK}.run') IS NOT NULL AS exists`,
    );
    if (rows[0]?.exists === true) return;
    await connection.query(SCHEMA);
    await connection.query(`INSERT INTO ${MARK}.run (backup, name, plan) VALUES ($1, $2, $3)`, [
      manifest.id,
      manifest.name,
      plan,
    ]);
  });
}

/** The restore is complete. */
export async function unmark(target: Target, signal: AbortSignal | undefined): Promise<void> {
  await target.transaction("removing the mark", signal, async (connection) => {
    await connection.query(`DROP SCHEMA IF EXISTS ${MARK} CASCADE`);
  });
}

/** The steps that the target has now: a failover may have taken some of them back. */
export async function stepsDone(target: Target, signal: AbortSignal | undefined): Promise<ReadonlySet<string>> {
  const [{ exists } = { exists: false }] = await target.ask<{ exists: boolean }>(
    `SELECT to_regclass('${MARK}.step') IS NOT NULL AS exists`,
    [],
    signal,
  );
  if (!exists) return new Set();
  const rows = await target.ask<{ name: string }>(`SELECT name FROM ${MARK}.step`, [], signal);
  return new Set(rows.map(({ name }) => name));
}
