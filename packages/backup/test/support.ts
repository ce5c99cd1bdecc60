import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createPool, type FailoverPool, type PoolOptions } from "@mirrorpool/core";
import type { LabCluster, LabNode } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";
import { onTestFinished } from "vitest";

/** A pool's options for all nodes of a cluster. */
export function poolOf(cluster: LabCluster): PoolOptions {
  return { driver: postgres(), nodes: cluster.nodes.map(({ name, url }) => ({ name, url })) };
}

/** A pool that is closed when the test ends. */
export function openPool(cluster: LabCluster): FailoverPool {
  const pool = createPool(poolOf(cluster));
  onTestFinished(() => pool.close());
  return pool;
}

/** Has a cluster behind links of 8 MiB/s, so that a job is still at it when something befalls it; until they are healed. */
export async function slowDown(cluster: LabCluster): Promise<void> {
  await Promise.all(cluster.nodes.map(({ proxy }) => proxy.bandwidth(8 * 1024 ** 2)));
}

/** A folder that is removed when the test ends. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "mirrorpool-backup-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The error with which a promise rejects. Fails when it does not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`expected a rejection, got ${JSON.stringify(value)}`);
}

/** Asks again and again until the answer is neither `undefined` nor `false`. */
export async function until<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`waited 30 s for ${what}`);
    await sleep(20);
  }
}

/** All rows of a table as text in the order of their text, and how many: equal where the tables are. */
export async function contentOf(node: LabNode, table: string): Promise<unknown> {
  const [row] = await node.query<{ count: string; digest: string }>(
    `SELECT count(*)::text AS count, md5(coalesce(string_agg(md5(t::text), '' ORDER BY md5(t::text)), '')) AS digest FROM ONLY ${table} AS t`,
  );
  return row;
}

/** The tables of mirrorpool itself, each with a row, by the pool's own SQL where it has some. */
export async function makeOwnTables(pool: FailoverPool): Promise<void> {
  for (const text of pool
    .ledgerSchema()
    .split(";")
    .filter((each) => each.trim() !== ""))
    await pool.query(text);
  await pool.query("INSERT INTO mirrorpool_ledger (token) VALUES ('00000000-0000-4000-8000-000000000001')");
  for (const name of ["mirrorpool_job", "mirrorpool_chunk"]) {
    await pool.query(`CREATE TABLE ${name} (job varchar(200) PRIMARY KEY)`);
    await pool.query(`INSERT INTO ${name} VALUES ('copy')`);
  }
}

/** How many rows they have, where they are. */
export async function ownRows(pool: FailoverPool): Promise<readonly number[]> {
  const counts = ["ledger", "job", "chunk"].map(
    async (name) => (await pool.query<{ count: unknown }>(`SELECT COUNT(*) AS count FROM mirrorpool_${name}`)).rows,
  );
  return (await Promise.all(counts)).map(([row]) => Number(row?.count));
}
