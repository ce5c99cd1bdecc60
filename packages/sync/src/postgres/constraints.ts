import type { FailoverPool } from "@mirrorpool/core";
import { codeOf } from "../faults.ts";
import { foreignKeyText } from "../foreign-key-text.ts";
import type { ForeignKeyDefinition, SetAside, Table } from "../model.ts";
import { ask, PATIENT, type Querier, tell } from "../querier.ts";
import { quoteName, quoteTable } from "./quote.ts";

/** Foreign keys between the tables: others stay, and are checked row by row. */
const FOREIGN_KEYS = `
SELECT 'foreign-key' AS kind, format('%I.%I', n.nspname, c.relname) AS "table", k.conname AS name,
  format('ALTER TABLE %I.%I DROP CONSTRAINT %I', n.nspname, c.relname, k.conname) AS remove,
  format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid)) AS restore
FROM pg_constraint AS k
JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0
  AND k.conrelid = ANY ($1::regclass[]) AND k.confrelid = ANY ($1::regclass[])
ORDER BY 2, 3`;

/** The application's own triggers would do again what they have done on the source. */
const TRIGGERS = `
SELECT 'trigger' AS kind, format('%I.%I', n.nspname, c.relname) AS "table", t.tgname AS name,
  format('ALTER TABLE %I.%I DISABLE TRIGGER %I', n.nspname, c.relname, t.tgname) AS remove,
  format('ALTER TABLE %I.%I ENABLE %s TRIGGER %I', n.nspname, c.relname,
    CASE t.tgenabled WHEN 'A' THEN 'ALWAYS' WHEN 'R' THEN 'REPLICA' ELSE '' END, t.tgname) AS restore
FROM pg_trigger AS t
JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgrelid = ANY ($1::regclass[])
ORDER BY 2, 3`;

/** What would be in the way of a load, or be done twice by it. */
export async function findObstacles(on: Querier, tables: readonly Table[]): Promise<readonly SetAside[]> {
  const names = [tables.map(quoteTable)];
  const foreignKeys = await ask<SetAside & Record<string, string>>(on, FOREIGN_KEYS, names);
  const triggers = await ask<SetAside & Record<string, string>>(on, TRIGGERS, names);
  return [...foreignKeys, ...triggers];
}

/** Whether a set-aside constraint is still away: its restoring may have been interrupted half way. */
export async function isAway(on: Querier, { table, name }: SetAside): Promise<boolean> {
  const [row] = await ask<{ is_there: string }>(
    on,
    `SELECT (EXISTS (SELECT FROM pg_constraint WHERE conrelid = $1::regclass AND conname = $2)
       OR EXISTS (SELECT FROM pg_trigger WHERE tgrelid = $1::regclass AND tgname = $2 AND tgenabled <> 'D'))::text AS is_there`,
    [table, name],
  );
  return row?.is_there !== "true";
}

/** One that a table of another system has: the rows that are there are checked. */
export async function makeForeignKey(
  pool: FailoverPool,
  key: ForeignKeyDefinition,
  signal: AbortSignal,
): Promise<void> {
  const make = async (on: Querier): Promise<void> => {
    await tell(on, "SET LOCAL statement_timeout = 0");
    await tell(on, foreignKeyText(key, quoteName, quoteTable), [], signal);
  };
  await pool.transaction(make, { ...PATIENT, signal });
}

/** Not possible at all, a value that does not fit, a definition that does not, and a limit of the server's own. */
const REFUSED: readonly string[] = ["0A", "22", "42", "54"];

/** PostgreSQL says in its messages what is broken, and the values in its details. */
export function whyNotMade(error: unknown): string | undefined {
  const code = codeOf(error) ?? "";
  const isOfRows = code.startsWith("23");
  if (!isOfRows && !REFUSED.some((each) => code.startsWith(each) && code.length === 5)) return undefined;
  return error instanceof Error ? error.message : code;
}
