import { isMigrationTable } from "../migration-tables.ts";
import { isIdentifier, type Token } from "../token.ts";

/** Whether the identifier at `index` names something to be read on the primary only: a catalogue, or a table of a migration tool. */
export function isPrimaryOnly(tokens: readonly Token[], index: number): boolean {
  const token = tokens[index];
  if (!isIdentifier(token)) return false;
  const name = token.text.toLowerCase();
  if (name === "information_schema" || name === "performance_schema") return true;
  if (name === "mysql" || name === "sys") return tokens[index + 1]?.kind === ".";
  return name === "sequelizemeta" || isMigrationTable(name);
}
