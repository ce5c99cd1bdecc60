import { BackupError } from "../errors.ts";
import type { QualifiedName } from "../format/manifest.ts";
import { matches } from "../table-names.ts";

/** Pure. @throws {BackupError} `NO_TABLES` for a pattern that means none: it is mistyped */
export function chooseTables<Table extends QualifiedName>(
  tables: readonly Table[],
  patterns: readonly string[] | undefined,
): readonly Table[] {
  if (patterns === undefined) return tables;
  for (const pattern of patterns)
    if (!tables.some((table) => matches(pattern, table)))
      throw new BackupError("NO_TABLES", `tables: no table is called ${JSON.stringify(pattern)}`, { subject: pattern });
  return tables.filter((table) => patterns.some((pattern) => matches(pattern, table)));
}
