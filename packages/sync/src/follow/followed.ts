import type { Column, Table } from "../model.ts";
import type { Followed } from "./change-source.ts";

/** @param columns those of the target that the changes have values for, in the changes' order: the key's are among them */
export function followed(name: string, target: Table, columns: readonly Column[]): Followed {
  const places = (target.key ?? []).map((column) => columns.findIndex((each) => each.name === column.name));
  return {
    name,
    table: { ...target, columns },
    keyOf: (row) => places.map((place) => row[place] ?? ""),
  };
}
