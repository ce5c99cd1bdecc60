import type { MysqlResult } from "@mirrorpool/mysql2";
import type { Claim, DoneChunk, JobState, StoredJob } from "../job-state.ts";
import { CHUNKS, JOBS } from "../own-tables.ts";
import { PATIENT, type Querier } from "../querier.ts";
import { ask, tell } from "./ask.ts";

async function isPrepared(on: Querier): Promise<boolean> {
  const text = `SELECT COUNT(*) AS count FROM information_schema.TABLES
    WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN ('${JOBS}', '${CHUNKS}')`;
  const [row] = await ask<{ count: string }>(on, text);
  return row?.count === "2";
}

/** Ends an open transaction where it makes them: such statements do. */
async function prepare(on: Querier): Promise<void> {
  if (await isPrepared(on)) return;
  const how = "ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin";
  await tell(
    on,
    `CREATE TABLE IF NOT EXISTS ${JOBS} (job varchar(200) PRIMARY KEY, kind varchar(20) NOT NULL, plan longtext NOT NULL,
      generation bigint NOT NULL, state varchar(20) NOT NULL, position mediumtext,
      updated_at timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)) ${how}`,
  );
  await tell(
    on,
    `CREATE TABLE IF NOT EXISTS ${CHUNKS} (job varchar(200) NOT NULL, chunk bigint NOT NULL, generation bigint NOT NULL,
      row_count bigint, byte_count bigint, finished_at timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), PRIMARY KEY (job, chunk)) ${how}`,
  );
}

async function load(on: Querier, job: string): Promise<StoredJob | undefined> {
  if (!(await isPrepared(on))) return undefined;
  const text = `SELECT kind, plan, generation, state FROM ${JOBS} WHERE job = ?`;
  const [row] = await ask<{ kind: string; plan: string; generation: string; state: string }>(on, text, [job]);
  if (row === undefined) return undefined;
  return { ...row, generation: Number(row.generation), state: row.state === "finished" ? "finished" : "running" };
}

async function begin(on: Querier, job: string, kind: string, plan: string): Promise<void> {
  await forget(on, job);
  const text = `INSERT INTO ${JOBS} (job, kind, plan, generation, state) VALUES (?, ?, ?, 1, 'running')`;
  await tell(on, text, [job, kind, plan]);
}

/** Rows of one statement. */
const BATCH = 1000;

async function markStale(on: Querier, job: string, chunks: number): Promise<void> {
  for (let first = 0; first < chunks; first += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, chunks - first) }, (_, index) => first + index);
    const rows = numbers.map(() => "(?, ?, 0)").join(", ");
    const text = `INSERT INTO ${CHUNKS} (job, chunk, generation) VALUES ${rows}`;
    await tell(
      on,
      text,
      numbers.flatMap((chunk) => [job, chunk]),
    );
  }
}

async function markEarlier(on: Querier, job: string, chunk: number): Promise<void> {
  await tell(on, `UPDATE ${CHUNKS} SET generation = generation - 1 WHERE job = ? AND chunk = ?`, [job, chunk]);
}

/** The answer to the very statement that counts has the number: another process may take the job over at the same time. */
async function nextGeneration(on: Querier, job: string): Promise<number> {
  const text = `UPDATE ${JOBS} SET generation = LAST_INSERT_ID(generation + 1), state = 'running' WHERE job = ?`;
  const result = await on.query({ text, values: [job] }, undefined, PATIENT);
  return Number((result as MysqlResult).insertId); // so its driver answers
}

async function finish(on: Querier, job: string): Promise<void> {
  await tell(on, `UPDATE ${JOBS} SET state = 'finished' WHERE job = ?`, [job]);
}

async function loadChunks(on: Querier, job: string): Promise<ReadonlyMap<number, DoneChunk>> {
  const text = `SELECT chunk, generation, COALESCE(row_count, 0) AS \`rows\`, COALESCE(byte_count, 0) AS bytes FROM ${CHUNKS} WHERE job = ?`;
  const rows = await ask<Record<"chunk" | "generation" | "rows" | "bytes", string>>(on, text, [job]);
  return new Map(
    rows.map((row) => [
      Number(row.chunk),
      { generation: Number(row.generation), rows: Number(row.rows), bytes: Number(row.bytes) },
    ]),
  );
}

async function claimChunk(on: Querier, job: string, chunk: number, generation: number): Promise<Claim> {
  const mine = `job = ? AND generation = ? AND state = 'running'`;
  const inserted = await tell(
    on,
    `INSERT IGNORE INTO ${CHUNKS} (job, chunk, generation) SELECT job, ?, generation FROM ${JOBS} WHERE ${mine}`,
    [chunk, job, generation],
  );
  if (inserted === 1) return "new";
  const updated = await tell(
    on,
    `UPDATE ${CHUNKS} AS c JOIN ${JOBS} AS j ON j.job = c.job SET c.generation = j.generation
     WHERE j.job = ? AND j.generation = ? AND j.state = 'running' AND c.chunk = ? AND c.generation < j.generation`,
    [job, generation, chunk],
  );
  if (updated === 1) return "stale";
  const [row] = await ask<{ job: string }>(on, `SELECT job FROM ${JOBS} WHERE ${mine}`, [job, generation]);
  return row === undefined ? "superseded" : "done";
}

async function noteChunk(on: Querier, job: string, chunk: number, rows: number, bytes: number): Promise<void> {
  const text = `UPDATE ${CHUNKS} SET row_count = ?, byte_count = ?, finished_at = CURRENT_TIMESTAMP(6) WHERE job = ? AND chunk = ?`;
  await tell(on, text, [rows, bytes, job, chunk]);
}

async function loadPosition(on: Querier, job: string): Promise<string | undefined> {
  if (!(await isPrepared(on))) return undefined;
  const [row] = await ask<{ position: string | null }>(on, `SELECT position FROM ${JOBS} WHERE job = ?`, [job]);
  return row?.position ?? undefined;
}

async function movePosition(on: Querier, job: string, before: string | null, position: string): Promise<boolean> {
  const text = `UPDATE ${JOBS} SET position = ?, updated_at = CURRENT_TIMESTAMP(6) WHERE job = ? AND position <=> ?`;
  return (await tell(on, text, [position, job, before])) === 1;
}

async function forget(on: Querier, job: string): Promise<void> {
  await tell(on, `DELETE FROM ${CHUNKS} WHERE job = ?`, [job]);
  await tell(on, `DELETE FROM ${JOBS} WHERE job = ?`, [job]);
}

export const state: JobState = Object.freeze({
  tables: [`public.${JOBS}`, `public.${CHUNKS}`],
  prepare,
  load,
  begin,
  markStale,
  markEarlier,
  nextGeneration,
  finish,
  loadChunks,
  claimChunk,
  noteChunk,
  loadPosition,
  movePosition,
  forget,
} satisfies JobState);
