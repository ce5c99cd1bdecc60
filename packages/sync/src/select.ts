import type { Catalog, Table, TableName } from "./model.ts";
import { nameOf } from "./model.ts";
import { isOwnTable } from "./own-tables.ts";

/**
 * Which tables: a pattern such as `orders`, `public.order_*` or `audit.*`, where `*` is any text and a name without a dot is in
 * the schema `public`; or a name as it is, for names with dots, stars or spaces.
 */
export type TableChoice = string | { readonly schema?: string; readonly name: string };

/** The tables that were chosen, and the choices that none is named by. Pure. */
export function selectTables(
  catalog: Catalog,
  chosen: readonly TableChoice[] | undefined,
  excluded: readonly TableChoice[],
  own: readonly string[],
): { readonly tables: readonly Table[]; readonly missing: readonly string[] } {
  const wanted = (chosen ?? ["*.*"]).map((choice) => ({ choice, test: matcher(choice) }));
  const unwanted = excluded.map(matcher);
  const ours: ReadonlySet<string> = new Set(own);
  const tables = catalog.tables.filter(
    (table) =>
      !ours.has(nameOf(table)) &&
      !isOwnTable(table) &&
      wanted.some(({ test }) => test(table)) &&
      !unwanted.some((test) => test(table)),
  );
  const missing = wanted.filter(({ test, choice }) => choice !== "*.*" && !catalog.tables.some(test));
  return { tables, missing: missing.map(({ choice }) => describe(choice)) };
}

const describe = (choice: TableChoice): string =>
  typeof choice === "string" ? choice : nameOf({ schema: choice.schema ?? "public", name: choice.name });

function matcher(choice: TableChoice): (table: TableName) => boolean {
  if (typeof choice === "object") {
    const { schema = "public", name } = choice;
    return (table) => table.schema === schema && table.name === name;
  }
  const pattern = choice.includes(".") ? choice : `public.${choice}`;
  const parts = pattern.split("*").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const expression = new RegExp(`^${parts.join(".*")}$`, "su");
  return (table) => expression.test(nameOf(table));
}
