import type { FailoverPool } from "@mirrorpool/core";
import type { SequenceState, Table } from "../model.ts";
import { PATIENT, type Querier } from "../querier.ts";
import { ask, tell } from "./ask.ts";
import { isMariadb } from "./catalog.ts";
import { quoteTable } from "./quote.ts";

const COUNTERS = `
SELECT TABLE_NAME AS name, AUTO_INCREMENT AS next FROM information_schema.TABLES
WHERE TABLE_SCHEMA = DATABASE() AND AUTO_INCREMENT IS NOT NULL`;

/** The counters of tables. */
export async function readSequences(
  pool: FailoverPool,
  tables: readonly Table[],
  signal: AbortSignal | undefined,
): Promise<readonly SequenceState[]> {
  const options = signal === undefined ? PATIENT : { ...PATIENT, signal };
  const read = async (on: Querier): Promise<ReadonlyMap<string, string>> => {
    const [server] = await ask<{ version: string }>(on, "SELECT VERSION() AS version");
    // MySQL would tell those of a day ago
    if (!isMariadb(server?.version ?? "")) await on.query("SET SESSION information_schema_stats_expiry = 0");
    const rows = await ask<{ name: string; next: string }>(on, COUNTERS);
    return new Map(rows.map(({ name, next }) => [name, next]));
  };
  const counters = await pool.transaction(read, options);
  return tables.flatMap(({ schema, name, columns }) => {
    const column = columns.find(({ isCounted }) => isCounted);
    const last = counters.get(name);
    return column === undefined || last === undefined
      ? []
      : [{ schema, name, column: column.name, last, isGiven: false }];
  });
}

/** Has the tables count on from where the source is; never from below what they have. */
export async function setSequences(
  pool: FailoverPool,
  tables: readonly Table[],
  sequences: readonly SequenceState[],
): Promise<number> {
  let count = 0;
  for (const { name, column, last, isGiven } of sequences) {
    const table = tables.find((each) => each.name === name);
    if (table?.columns.find((each) => each.name === column)?.isCounted !== true) continue;
    const next = BigInt(last) + (isGiven ? 1n : 0n);
    if (next < 1n) continue;
    await tell(pool, `ALTER TABLE ${quoteTable(table)} AUTO_INCREMENT = ${next}`);
    count += 1;
  }
  return count;
}
