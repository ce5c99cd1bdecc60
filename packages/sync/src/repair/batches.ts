import type { Suspect } from "../compare/find-differences.ts";

/** Rows of one table that are written, or deleted, in one transaction. */
export interface Batch {
  readonly table: string;
  readonly action: "write" | "delete";
  readonly rows: readonly Suspect[];
}

/** Parents are written before their children, and deleted after them. Pure. */
export function planBatches(
  rows: readonly Suspect[],
  levels: ReadonlyMap<string, number>,
  batchRows: number,
): readonly Batch[] {
  const levelOf = ({ table }: Suspect): number => levels.get(table) ?? 0;
  const written = rows.filter(({ what }) => what !== "extra").sort((one, other) => levelOf(one) - levelOf(other));
  const deleted = rows.filter(({ what }) => what === "extra").sort((one, other) => levelOf(other) - levelOf(one));
  return [...cut(written, "write", batchRows), ...cut(deleted, "delete", batchRows)];
}

function cut(rows: readonly Suspect[], action: Batch["action"], batchRows: number): readonly Batch[] {
  const batches: { table: string; action: Batch["action"]; rows: Suspect[] }[] = [];
  const open = new Map<string, Suspect[]>();
  for (const row of rows) {
    let batch = open.get(row.table);
    if (batch === undefined || batch.length >= batchRows) {
      batch = [];
      open.set(row.table, batch);
      batches.push({ table: row.table, action, rows: batch });
    }
    batch.push(row);
  }
  return batches;
}
