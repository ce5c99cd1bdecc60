import { isMigrationTable } from "../migration-tables.ts";

/** Types whose input function looks an object up in the catalogues: `'orders'::regclass`. */
const CATALOGUE_TYPES: ReadonlySet<string> = new Set([
  "regclass",
  "regcollation",
  "regnamespace",
  "regoper",
  "regoperator",
  "regproc",
  "regprocedure",
  "regrole",
  "regtype",
]);

/** Whether an identifier names something to be read on the primary only: a catalogue, or a table of a migration tool. */
export function isPrimaryOnly(identifier: string): boolean {
  return (
    identifier.startsWith("pg_") ||
    identifier === "information_schema" ||
    isMigrationTable(identifier) ||
    CATALOGUE_TYPES.has(identifier)
  );
}
