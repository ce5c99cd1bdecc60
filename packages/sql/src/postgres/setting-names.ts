/** Former names that PostgreSQL still takes (`map_old_guc_names` in src/backend/utils/misc/guc.c). */
const FORMER: ReadonlyMap<string, string> = new Map([
  ["sort_mem", "work_mem"],
  ["vacuum_mem", "maintenance_work_mem"],
  ["force_parallel_mode", "debug_parallel_query"],
]);

/** Settings of the open transaction: they never outlive it. */
const OF_TRANSACTION: ReadonlySet<string> = new Set([
  "transaction_isolation",
  "transaction_read_only",
  "transaction_deferrable",
]);

/**
 * The settings of the session that a name stands for; none where it is the transaction's. Undefined for what is no mere value:
 * `seed` begins a row of random numbers, and to begin it again would be another row.
 */
export function ownNames(given: string): readonly string[] | undefined {
  const name = FORMER.get(given) ?? given;
  if (name === "seed") return undefined;
  if (OF_TRANSACTION.has(name)) return [];
  // whoever becomes another user has no role any more
  return name === "session_authorization" ? [name, "role"] : [name];
}
