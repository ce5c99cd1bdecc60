import mysql from "mysql2";

/**
 * `database.table` or `table`, each part quoted. Without a database it is the one that the connection was opened with: after a
 * USE the token of a commit would go to one table, and be asked for in another.
 */
export function quote(table: string, database: string | undefined): string {
  const parts = table.includes(".") || database === undefined ? table.split(".") : [database, table];
  return parts.map((part) => mysql.escapeId(part, true)).join(".");
}
