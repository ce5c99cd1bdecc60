import type { ReservedConnection } from "@mirrorpool/core";
import type { Mark } from "../dialect.ts";
import { TakenBackError } from "../errors.ts";
import type { Target } from "../target/target.ts";
import { MARK } from "./mark-name.ts";

const SCHEMA = `
CREATE SCHEMA ${MARK};
COMMENT ON SCHEMA ${MARK} IS 'A restore is under way, or was not finished: the database is not complete. Run it again, or drop this schema and what it has restored.';
CREATE TABLE ${MARK}.run (backup text NOT NULL, name text NOT NULL, plan text NOT NULL, started_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE ${MARK}.step (name text PRIMARY KEY);
CREATE TABLE ${MARK}.undo (id int GENERATED ALWAYS AS IDENTITY, text text NOT NULL)`;

const IS_THERE = `SELECT to_regclass('${MARK}.run') IS NOT NULL AS exists`;

/** The restore that the target is marked with. */
export async function readMark(target: Target, signal: AbortSignal | undefined): Promise<Mark | undefined> {
  const [{ exists } = { exists: false }] = await target.ask<{ exists: boolean }>(IS_THERE, [], signal);
  if (!exists) return undefined;
  const [row] = await target.ask<Mark>(`SELECT backup, name, plan FROM ${MARK}.run`, [], signal);
  return row;
}

/** Marks the target: from now on it is not complete, and everybody can see that. */
export async function mark(
  target: Target,
  { backup, name, plan }: Mark,
  signal: AbortSignal | undefined,
): Promise<void> {
  await target.transaction("marking the target", signal, async (connection) => {
    // a COMMIT that was lost may have been one
    const { rows } = await connection.query<{ exists: boolean }>(IS_THERE);
    if (rows[0]?.exists === true) return;
    // a crash must not leave rows, or none, without it
    await connection.query("SET LOCAL synchronous_commit TO DEFAULT");
    await connection.query(SCHEMA);
    await connection.query(`INSERT INTO ${MARK}.run (backup, name, plan) VALUES ($1, $2, $3)`, [backup, name, plan]);
  });
}

/**
 * The restore is complete. The one commit of it that waits until everything before it is as safe as the server is set to make it.
 * @throws {TakenBackError}
 */
export async function unmark(
  target: Target,
  steps: number | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  let mayBeGone = steps === undefined;
  await target.transaction("removing the mark", signal, async (connection) => {
    await connection.query("SET LOCAL synchronous_commit TO DEFAULT");
    const { rows } = await connection.query<{ exists: boolean }>(IS_THERE);
    if (rows[0]?.exists !== true) {
      if (mayBeGone) return;
      throw new TakenBackError("the mark");
    }
    if (steps !== undefined) await requireSteps(connection, steps);
    await connection.query(`DROP SCHEMA ${MARK} CASCADE`);
    mayBeGone = true; // a COMMIT that is lost may be one
  });
}

async function requireSteps(connection: ReservedConnection, steps: number): Promise<void> {
  const { rows } = await connection.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${MARK}.step`);
  if ((rows[0]?.count ?? 0) < steps) throw new TakenBackError("steps that had been done");
}

/** The steps that the target has now: a failover or a crash may have taken some of them back. */
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

/** A unit that comes late must not write into what another restore has begun since. */
export async function isOfRestore(connection: ReservedConnection, backup: string): Promise<boolean> {
  const { rowCount } = await connection.query(`SELECT FROM ${MARK}.run WHERE backup = $1`, [backup]);
  return rowCount !== 0;
}
