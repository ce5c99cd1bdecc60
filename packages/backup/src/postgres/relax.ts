import type { ReservedConnection } from "@mirrorpool/core";
import type { QualifiedName } from "../format/manifest.ts";
import { MARK } from "./mark-name.ts";

/**
 * Rows come in any order, and triggers have had their effect when the rows were written first. So in tables that are there already
 * foreign keys are taken off and triggers switched off; the statements that undo that are kept in the same transaction.
 */
const UNDO = `
WITH chosen AS (
  SELECT c.oid FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS ns ON ns.oid = c.relnamespace
    JOIN unnest($1::text[], $2::text[]) AS wanted(schema, name) ON ns.nspname = wanted.schema AND c.relname = wanted.name
   WHERE c.relkind IN ('r', 'p')),
family AS (
  SELECT oid FROM chosen
   UNION SELECT ancestor.relid FROM chosen CROSS JOIN LATERAL pg_catalog.pg_partition_ancestors(chosen.oid) AS ancestor(relid))
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS apply,
       format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_catalog.pg_get_constraintdef(con.oid)) AS undo
  FROM pg_catalog.pg_constraint AS con JOIN family ON family.oid = con.conrelid
 WHERE contype = 'f' AND conparentid = 0
 UNION ALL
SELECT format('ALTER TABLE %s DISABLE TRIGGER %I', tgrelid::regclass, tgname),
       format('ALTER TABLE %s ENABLE %sTRIGGER %I', tgrelid::regclass,
              CASE tgenabled WHEN 'R' THEN 'REPLICA ' WHEN 'A' THEN 'ALWAYS ' ELSE '' END, tgname)
  FROM pg_catalog.pg_trigger JOIN chosen ON chosen.oid = tgrelid
 WHERE NOT tgisinternal AND tgenabled <> 'D'`;

export async function relax(connection: ReservedConnection, tables: readonly QualifiedName[]): Promise<void> {
  const { rows } = await connection.query<{ apply: string; undo: string }>(UNDO, [
    tables.map(({ schema }) => schema),
    tables.map(({ name }) => name),
  ]);
  for (const { apply, undo } of rows) {
    await connection.query(apply);
    await connection.query(`INSERT INTO ${MARK}.undo (text) VALUES ($1)`, [undo]);
  }
}

/**
 * Puts everything back.
 * @param validate false: foreign keys hold for new rows, and nobody looks whether they hold for those that are there
 */
export async function tighten(connection: ReservedConnection, validate: boolean = true): Promise<void> {
  const { rows } = await connection.query<{ text: string }>(`SELECT text FROM ${MARK}.undo ORDER BY id`);
  for (const { text } of rows) {
    const isKey = text.includes(" ADD CONSTRAINT ") && !text.endsWith(" NOT VALID");
    const suffix = validate || !isKey ? "" : " NOT VALID";
    await connection.query(text + suffix, [], { timeoutMs: Number.POSITIVE_INFINITY });
  }
}
