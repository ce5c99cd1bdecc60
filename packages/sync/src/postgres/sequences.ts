import type { Table } from "../model.ts";
import { ask, type Querier, tell } from "../querier.ts";
import { quoteTable } from "./quote.ts";

/** A sequence by the column whose values it gives: its own name may be another one elsewhere. */
interface SequenceState {
  readonly table: string;
  readonly column: string;
  readonly sequence: string;
}

/** Sequences of identity and serial columns, and those that a column's default names. */
const SEQUENCES = `
SELECT DISTINCT ON (1, 2) format('%I.%I', n.nspname, c.relname) AS "table", a.attname AS "column",
  format('%I.%I', sn.nspname, s.relname) AS sequence
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN LATERAL (
  SELECT d.objid AS oid, 1 AS rank FROM pg_depend AS d
  WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
    AND d.refobjsubid = a.attnum AND d.deptype IN ('a', 'i')
  UNION ALL
  SELECT d.refobjid, 2 FROM pg_attrdef AS def
  JOIN pg_depend AS d ON d.classid = 'pg_attrdef'::regclass AND d.objid = def.oid AND d.refclassid = 'pg_class'::regclass
  WHERE def.adrelid = c.oid AND def.adnum = a.attnum
) AS owned ON true
JOIN pg_class AS s ON s.oid = owned.oid AND s.relkind = 'S'
JOIN pg_namespace AS sn ON sn.oid = s.relnamespace
WHERE c.oid = ANY ($1::regclass[])
ORDER BY 1, 2, owned.rank`;

function findSequences(on: Querier, tables: readonly Table[]): Promise<readonly SequenceState[]> {
  return ask<Record<keyof SequenceState, string>>(on, SEQUENCES, [tables.map(quoteTable)]);
}

/**
 * Sets the target's sequences to where the source's are. They are not part of any view: read after the rows they are never behind
 * them.
 */
export async function setSequences(from: Querier, to: Querier, tables: readonly Table[]): Promise<number> {
  const here = await findSequences(from, tables);
  const there = new Map(
    (await findSequences(to, tables)).map((each) => [`${each.table}:${each.column}`, each.sequence]),
  );
  let count = 0;
  for (const { table, column, sequence } of here) {
    const target = there.get(`${table}:${column}`);
    if (target === undefined) continue;
    const [state] = await ask<{ last: string; is_called: string }>(
      from,
      `SELECT last_value::text AS last, is_called::text AS is_called FROM ${sequence}`,
    );
    if (state === undefined) continue;
    await tell(to, "SELECT setval($1::regclass, $2::int8, $3::bool)", [target, state.last, state.is_called]);
    count += 1;
  }
  return count;
}
