import type { Column, Table } from "@mirrorpool/sync/for-other-jobs";
import type { BackedUpTable } from "./manifest.ts";

/** A table of a backup as sync's dialects know tables: with what a backup does not tell as it is in most of them. Pure. */
export function tableOf({
  schema,
  name,
  types,
  neutral = [],
  key,
  generated = [],
}: Omit<BackedUpTable, "rows" | "form">): Table {
  const columns = neutral.map(
    ({ name, neutral, isNullable, isCounted }, place): Column => ({
      ...{ name, neutral, isNullable, isCounted },
      type: types[place] ?? "",
      hasDefault: false,
      isAlways: false,
      isGenerated: false,
      isPlain: false,
      isPortable: false,
      order: "text",
    }),
  );
  return {
    ...{ schema, name, columns, generated },
    key: key?.flatMap((each) => columns.find((column) => column.name === each) ?? []),
    ...{ isPartitioned: false, rows: 0, bytes: 0, isUnlogged: false, isOwned: true },
    identity: key === undefined ? "none" : "key",
  };
}
