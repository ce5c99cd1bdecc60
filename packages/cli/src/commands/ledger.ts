import type { Context } from "../context.ts";

/** Prints the SQL that makes the commit ledger's table, or runs it. */
export async function ledger(context: Context, given: string | undefined, isCreated: boolean): Promise<void> {
  const cluster = await context.cluster(given);
  const { signal, output } = context;
  await context.withPool(cluster, async (pool) => {
    const sql = pool.ledgerSchema();
    if (!isCreated) return output.result({ sql }, () => sql.trimEnd());
    await pool.query(sql, [], {
      signal,
      ...(context.options.timeout !== undefined && { timeoutMs: context.options.timeout }),
    });
    output.result({ cluster: cluster.name, isCreated }, () => `the ledger is there, in ${cluster.name}`);
  });
}
