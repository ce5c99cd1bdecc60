import type { FailoverPool } from "@mirrorpool/core";
import type { Bridge } from "../../dialects.ts";
import type { Refusal } from "../../errors.ts";
import { nameOf, type Table } from "../../model.ts";
import type { Pair } from "../../pair-tables.ts";
import { ask } from "../../querier.ts";

/** What the source's server and role lack, and the tables whose changes nobody could follow. */
export async function sourceObstacles(from: FailoverPool, tables: readonly Table[]): Promise<readonly Refusal[]> {
  const text = `SELECT current_setting('wal_level') AS level,
    (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user)::text AS may`;
  const [row] = await from.transaction((on) => ask<{ level: string; may: string }>(on, text), { readOnly: true });
  const found: Refusal[] = [];
  if (row?.level !== "logical") found.push({ table: "", reason: "the source needs wal_level = logical" });
  if (row?.may !== "true") found.push({ table: "", reason: "the source's role needs the attribute REPLICATION" });
  for (const table of tables) {
    const name = nameOf(table);
    if (table.key !== undefined && table.identity === "none")
      found.push({ table: name, reason: "its REPLICA IDENTITY is not DEFAULT or FULL" });
    if (table.isUnlogged) found.push({ table: name, reason: "it is unlogged: its changes are nowhere to be read" });
    if (!table.isOwned) found.push({ table: name, reason: "only its owner may publish it" });
  }
  return found;
}

/** Whether triggers and foreign keys of the target can be left alone, as the server's own replication does. */
export async function mayActAsReplica(to: FailoverPool): Promise<boolean> {
  const text = `SELECT ((SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
    OR (current_setting('server_version_num')::int >= 150000
      AND has_parameter_privilege(current_user, 'session_replication_role', 'SET')))::text AS may`;
  const [row] = await to.transaction((on) => ask<{ may: string }>(on, text), { readOnly: true });
  return row?.may === "true";
}

/** Triggers of the target, where they cannot be left alone. */
export async function triggerObstacles(
  to: FailoverPool,
  { target }: Bridge,
  tables: readonly Table[],
): Promise<readonly Refusal[]> {
  const triggers = (await target.findObstacles(to, tables)).filter(({ kind }) => kind === "trigger");
  return triggers.map(({ table, name }) => {
    const reason = `its trigger ${name} on the target would do again what it has done on the source. Disable it, or GRANT SET ON PARAMETER session_replication_role to the target's role`;
    return { table, reason };
  });
}

/** What stands in the way of the servers' own replication. */
export async function nativeObstacles(
  from: FailoverPool,
  to: FailoverPool,
  pairs: readonly Pair[],
): Promise<readonly Refusal[]> {
  const tables = pairs.map(({ source }) => source);
  return [...(await sourceObstacles(from, tables)), ...(await subscriptionObstacles(to))];
}

/** What the target's role may not. */
async function subscriptionObstacles(to: FailoverPool): Promise<readonly Refusal[]> {
  const text = `SELECT ((SELECT rolsuper FROM pg_roles WHERE rolname = current_user) OR EXISTS (
      SELECT FROM pg_roles AS r WHERE r.rolname = 'pg_create_subscription' AND pg_has_role(current_user, r.oid, 'MEMBER')))::text AS may`;
  const [row] = await to.transaction((on) => ask<{ may: string }>(on, text), { readOnly: true });
  const reason =
    "the target's role may not make subscriptions: it has to be a member of pg_create_subscription (16 and later), or superuser";
  return row?.may === "true" ? [] : [{ table: "", reason }];
}
