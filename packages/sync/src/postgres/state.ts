import type { Claim, DoneChunk, JobState, StoredJob } from "../job-state.ts";
import { CHUNKS as CHUNK_TABLE, JOBS as JOB_TABLE } from "../own-tables.ts";
import { ask, type Querier, tell } from "../querier.ts";
import { quoteTable } from "./quote.ts";

/** Where jobs keep on the target how far they are: in the same transactions as the rows they write. */
const JOBS = quoteTable({ schema: "public", name: JOB_TABLE });
const CHUNKS = quoteTable({ schema: "public", name: CHUNK_TABLE });

async function prepareState(on: Querier): Promise<void> {
  if (await isPrepared(on)) return;
  await tell(
    on,
    `CREATE TABLE IF NOT EXISTS ${JOBS} (job text PRIMARY KEY, kind text NOT NULL, plan text NOT NULL, generation int8 NOT NULL,
      state text NOT NULL, position text, updated_at timestamptz NOT NULL DEFAULT clock_timestamp())`,
  );
  await tell(
    on,
    `CREATE TABLE IF NOT EXISTS ${CHUNKS} (job text NOT NULL, chunk int8 NOT NULL, generation int8 NOT NULL,
      row_count int8, byte_count int8, finished_at timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (job, chunk))`,
  );
}

async function isPrepared(on: Querier): Promise<boolean> {
  const text = "SELECT (to_regclass($1) IS NOT NULL AND to_regclass($2) IS NOT NULL)::text AS is_there";
  const [row] = await ask<{ is_there: string }>(on, text, [JOBS, CHUNKS]);
  return row?.is_there === "true";
}

async function loadJob(on: Querier, job: string): Promise<StoredJob | undefined> {
  if (!(await isPrepared(on))) return undefined;
  const [row] = await ask<{ kind: string; plan: string; generation: string; state: string }>(
    on,
    `SELECT kind, plan, generation::text AS generation, state FROM ${JOBS} WHERE job = $1`,
    [job],
  );
  if (row === undefined) return undefined;
  return { ...row, generation: Number(row.generation), state: row.state === "finished" ? "finished" : "running" };
}

async function beginJob(on: Querier, job: string, kind: string, plan: string): Promise<void> {
  await tell(on, `DELETE FROM ${CHUNKS} WHERE job = $1`, [job]);
  await tell(
    on,
    `INSERT INTO ${JOBS} (job, kind, plan, generation, state) VALUES ($1, $2, $3, 1, 'running')
     ON CONFLICT (job) DO UPDATE SET kind = excluded.kind, plan = excluded.plan, generation = 1, state = 'running',
       position = NULL, updated_at = clock_timestamp()`,
    [job, kind, plan],
  );
}

async function markStale(on: Querier, job: string, chunks: number): Promise<void> {
  const text = `INSERT INTO ${CHUNKS} (job, chunk, generation) SELECT $1, n, 0 FROM generate_series(0, $2::int8 - 1) AS n`;
  await tell(on, text, [job, chunks]);
}

async function markEarlier(on: Querier, job: string, chunk: number): Promise<void> {
  await tell(on, `UPDATE ${CHUNKS} SET generation = generation - 1 WHERE job = $1 AND chunk = $2`, [job, chunk]);
}

async function nextGeneration(on: Querier, job: string): Promise<number> {
  const [row] = await ask<{ generation: string }>(
    on,
    `UPDATE ${JOBS} SET generation = generation + 1, state = 'running', updated_at = clock_timestamp() WHERE job = $1
     RETURNING generation::text AS generation`,
    [job],
  );
  return Number(row?.generation);
}

async function finishJob(on: Querier, job: string): Promise<void> {
  await tell(on, `UPDATE ${JOBS} SET state = 'finished', updated_at = clock_timestamp() WHERE job = $1`, [job]);
}

async function loadChunks(on: Querier, job: string): Promise<ReadonlyMap<number, DoneChunk>> {
  const rows = await ask<{ chunk: string; generation: string; rows: string; bytes: string }>(
    on,
    `SELECT chunk::text, generation::text, coalesce(row_count, 0)::text AS rows, coalesce(byte_count, 0)::text AS bytes
     FROM ${CHUNKS} WHERE job = $1`,
    [job],
  );
  return new Map(
    rows.map(({ chunk, generation, rows: count, bytes }) => [
      Number(chunk),
      { generation: Number(generation), rows: Number(count), bytes: Number(bytes) },
    ]),
  );
}

async function claimChunk(on: Querier, job: string, chunk: number, generation: number): Promise<Claim> {
  const values = [job, chunk, generation];
  const inserted = await tell(
    on,
    `INSERT INTO ${CHUNKS} (job, chunk, generation) SELECT job, $2::int8, generation FROM ${JOBS}
     WHERE job = $1 AND generation = $3 AND state = 'running' ON CONFLICT DO NOTHING`,
    values,
  );
  if (inserted === 1) return "new";
  const updated = await tell(
    on,
    `UPDATE ${CHUNKS} AS c SET generation = j.generation FROM ${JOBS} AS j
     WHERE j.job = $1 AND j.generation = $3 AND j.state = 'running' AND c.job = j.job AND c.chunk = $2
       AND c.generation < j.generation`,
    values,
  );
  if (updated === 1) return "stale";
  const [row] = await ask<{ generation: string; state: string }>(
    on,
    `SELECT generation::text AS generation, state FROM ${JOBS} WHERE job = $1`,
    [job],
  );
  return Number(row?.generation) === generation && row?.state === "running" ? "done" : "superseded";
}

async function noteChunk(on: Querier, job: string, chunk: number, rows: number, bytes: number): Promise<void> {
  await tell(
    on,
    `UPDATE ${CHUNKS} SET row_count = $3, byte_count = $4, finished_at = clock_timestamp() WHERE job = $1 AND chunk = $2`,
    [job, chunk, rows, bytes],
  );
}

async function movePosition(on: Querier, job: string, before: string | null, position: string): Promise<boolean> {
  const text = `UPDATE ${JOBS} SET position = $2, updated_at = clock_timestamp()
    WHERE job = $1 AND position IS NOT DISTINCT FROM $3`;
  return (await tell(on, text, [job, position, before])) === 1;
}

async function loadPosition(on: Querier, job: string): Promise<string | undefined> {
  if (!(await isPrepared(on))) return undefined;
  const [row] = await ask<{ position: string | null }>(on, `SELECT position FROM ${JOBS} WHERE job = $1`, [job]);
  return row?.position ?? undefined;
}

async function forgetJob(on: Querier, job: string): Promise<void> {
  await tell(on, `DELETE FROM ${CHUNKS} WHERE job = $1`, [job]);
  await tell(on, `DELETE FROM ${JOBS} WHERE job = $1`, [job]);
}

export const state: JobState = Object.freeze({
  tables: [`public.${JOB_TABLE}`, `public.${CHUNK_TABLE}`],
  prepare: prepareState,
  load: loadJob,
  begin: beginJob,
  markStale,
  markEarlier,
  nextGeneration,
  finish: finishJob,
  loadChunks,
  claimChunk,
  noteChunk,
  loadPosition,
  movePosition,
  forget: forgetJob,
} satisfies JobState);
