import type { ChangedRow, Key } from "../model.ts";

/** A change of one row of a followed table. Values are in the order of the table's columns. */
export type Change = {
  /** What foreign keys do because of it is theirs to do. */
  readonly isSilent: boolean;
} & (
  | { readonly type: "insert"; readonly table: string; readonly key: Key; readonly row: ChangedRow }
  | {
      readonly type: "update";
      readonly table: string;
      /** Of the row as it was. */
      readonly key: Key;
      readonly newKey: Key;
      readonly row: ChangedRow;
    }
  | { readonly type: "delete"; readonly table: string; readonly key: Key }
);

/** What is left to do for one row. */
export interface Effect {
  readonly type: "insert" | "update" | "delete";
  readonly key: Key;
  readonly row: ChangedRow | undefined;
}

/**
 * What many changes come to, row by row: the last value counts, and what comes and goes leaves nothing. Undefined where that cannot
 * be told: a row got another key without its big values being known. Pure.
 */
export function netEffect(changes: readonly Change[]): ReadonlyMap<string, readonly Effect[]> | undefined {
  const tables = new Map<string, Map<string, Effect | { readonly type: "none"; readonly key: Key }>>();
  for (const change of changes) {
    const rows = tables.get(change.table) ?? new Map();
    tables.set(change.table, rows);
    if (change.type === "update" && !isSameKey(change.key, change.newKey)) {
      const id = JSON.stringify(change.key);
      const before = rows.get(id) as Effect | undefined;
      const row = merge(change.row, before?.row);
      if (row.includes(undefined)) return undefined;
      if (!put(rows, { type: "delete", key: change.key, row: undefined })) return undefined;
      if (!put(rows, { type: "insert", key: change.newKey, row })) return undefined;
    } else {
      const row = change.type === "delete" ? undefined : change.row;
      if (!put(rows, { type: change.type, key: change.key, row })) return undefined;
    }
  }
  const effects = new Map<string, readonly Effect[]>();
  for (const [table, rows] of tables)
    effects.set(
      table,
      [...rows.values()].filter((each): each is Effect => each.type !== "none"),
    );
  return effects;
}

type Kept = Effect | { readonly type: "none"; readonly key: Key; readonly row?: undefined };

/** False where the change does not fit to the one before: a row that is added twice, or changed after it is gone. */
function put(rows: Map<string, Kept>, effect: Effect): boolean {
  const id = JSON.stringify(effect.key);
  const before = rows.get(id);
  const next = combine(before, effect);
  if (next === undefined) return false;
  rows.set(id, next);
  return true;
}

function combine(before: Kept | undefined, effect: Effect): Kept | undefined {
  if (before === undefined) return effect;
  const { key } = effect;
  switch (before.type) {
    case "none":
      // it was not there before all this
      return effect.type === "insert" ? effect : undefined;
    case "delete":
      return effect.type === "insert" ? { type: "update", key, row: effect.row } : undefined;
    case "insert":
      if (effect.type === "delete") return { type: "none", key };
      return effect.type === "update" ? { type: "insert", key, row: merge(effect.row ?? [], before.row) } : undefined;
    case "update":
      if (effect.type === "delete") return effect;
      return effect.type === "update" ? { type: "update", key, row: merge(effect.row ?? [], before.row) } : undefined;
    default:
      return before satisfies never;
  }
}

/** Values that were not sent are those of before. */
function merge(row: ChangedRow, before: ChangedRow | undefined): ChangedRow {
  if (before === undefined || !row.includes(undefined)) return row;
  return row.map((value, index) => (value === undefined ? before[index] : value));
}

export const isSameKey = (one: Key, other: Key): boolean =>
  one.length === other.length && one.every((value, index) => value === other[index]);
