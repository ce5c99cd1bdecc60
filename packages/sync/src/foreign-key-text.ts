import type { ForeignKeyDefinition, TableName } from "./model.ts";

/** The statement that adds a foreign key, which all systems write alike but for their quotes. Pure. */
export function foreignKeyText(
  { table, name, columns, references, parentColumns, onUpdate, onDelete }: ForeignKeyDefinition,
  quoteName: (name: string) => string,
  quoteTable: (table: TableName) => string,
): string {
  const list = (names: readonly string[]): string => names.map(quoteName).join(", ");
  return `ALTER TABLE ${quoteTable(table)} ADD CONSTRAINT ${quoteName(name)} FOREIGN KEY (${list(columns)})
    REFERENCES ${quoteTable(references)} (${list(parentColumns)}) ON UPDATE ${onUpdate} ON DELETE ${onDelete}`;
}
