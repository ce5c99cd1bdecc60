import type { RowForm } from "../dialect.ts";
import type { Range, SetAside, TableName } from "../model.ts";
import type { Keys } from "../types/keys-for.ts";

/** A unit of work: one range of one table. Independent of all others, and written exactly once. */
export interface Chunk {
  readonly id: number;
  /** Index into the plan's tables. */
  readonly table: number;
  readonly range: Range;
  /** An estimate of its bytes. */
  readonly weight: number;
}

export interface PlannedTable extends TableName {
  readonly columns: readonly string[];
  readonly form: RowForm;
  /** Tables of a lower level are complete before those of a higher one begin. */
  readonly level: number;
}

/** Everything that a process has to know to work on a copy that another one has begun. JSON, in the job's row on the target. */
export interface CopyPlan {
  readonly version: 1;
  readonly source: string;
  readonly tables: readonly PlannedTable[];
  readonly chunks: readonly Chunk[];
  /** Constraints and triggers that are away while rows are written. */
  readonly setAside: readonly SetAside[];
  /** What tables that were made are given when their rows are there; in plans of before there is none. */
  readonly keys?: Keys;
}

/** Why a plan that was begun is none for what is asked for now; undefined where it is. Pure. */
export function differenceOf(begun: CopyPlan, source: string, tables: readonly PlannedTable[]): string | undefined {
  if (begun.source !== source) return "it was begun from another source";
  const describe = ({ schema, name, columns }: PlannedTable): string => JSON.stringify([schema, name, columns]);
  const [one, other] = [begun.tables.map(describe).sort(), tables.map(describe).sort()];
  return one.length === other.length && one.every((each, index) => each === other[index])
    ? undefined
    : "it was begun with other tables or columns";
}
