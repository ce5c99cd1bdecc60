import type { FailoverPool, PoolSession } from "@mirrorpool/core";

/** What runs statements for a job: a pool, a session of one, or a reserved connection. */
export type Querier = Pick<PoolSession, "query">;

/** A pool of which the primary answers, also to reads: what another process has written may not have reached a mirror. */
export const onPrimary = (pool: FailoverPool): Querier => ({
  query: (statement, values, options) => pool.query(statement, values, { ...options, consistency: "strong" }),
});

/** How long one statement of a job may take: scans of big tables take as long as they take, the job's signal ends them. */
export const PATIENT: { readonly timeoutMs: number } = { timeoutMs: Number.POSITIVE_INFINITY };

/** Rows of text alone: whatever parsers the application has set for its types, nothing passes through them. */
export async function ask<Row extends Readonly<Record<string, string | null>>>(
  on: Querier,
  text: string,
  values: readonly unknown[] = [],
  signal?: AbortSignal,
): Promise<readonly Row[]> {
  const options = signal === undefined ? PATIENT : { ...PATIENT, signal };
  const { rows } = await on.query<Row>(text, values, options);
  return rows;
}

/** For a statement without an answer. Returns how many rows it concerned. */
export async function tell(
  on: Querier,
  text: string,
  values: readonly unknown[] = [],
  signal?: AbortSignal,
): Promise<number> {
  const options = signal === undefined ? PATIENT : { ...PATIENT, signal };
  const { rowCount } = await on.query(text, values, options);
  return rowCount ?? 0;
}
