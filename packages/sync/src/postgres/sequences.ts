import type { FailoverPool } from "@mirrorpool/core";
import type { SequenceState, Table, TableName } from "../model.ts";
import { ask, PATIENT, type Querier, tell } from "../querier.ts";
import { quoteTable } from "./quote.ts";

/** A sequence by the column whose values it gives: its own name may be another one elsewhere. */
interface Found extends Readonly<Record<string, string>> {
  readonly schema: string;
  readonly name: string;
  readonly column: string;
  readonly sequence: string;
}

/** Sequences of identity and serial columns, and those that a column's default names. */
const SEQUENCES = `
SELECT DISTINCT ON (1, 2, 3) n.nspname AS schema, c.relname AS name, a.attname AS "column",
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
ORDER BY 1, 2, 3, owned.rank`;

function findSequences(on: Querier, tables: readonly TableName[]): Promise<readonly Found[]> {
  return ask<Found>(on, SEQUENCES, [tables.map(quoteTable)]);
}

/** They are not part of any view: read after the rows they are never behind them. */
export function readSequences(
  pool: FailoverPool,
  tables: readonly Table[],
  signal: AbortSignal | undefined,
): Promise<readonly SequenceState[]> {
  const options = signal === undefined ? PATIENT : { ...PATIENT, signal };
  const read = async (on: Querier): Promise<readonly SequenceState[]> => {
    const states: SequenceState[] = [];
    for (const { schema, name, column, sequence } of await findSequences(on, tables)) {
      const [state] = await ask<{ last: string; is_called: string }>(
        on,
        `SELECT last_value::text AS last, is_called::text AS is_called FROM ${sequence}`,
      );
      if (state !== undefined)
        states.push({ schema, name, column, last: state.last, isGiven: state.is_called === "true" });
    }
    return states;
  };
  return pool.transaction(read, { ...options, readOnly: true });
}

/** Sets the target's sequences to where the source's are. */
export async function setSequences(
  to: Querier,
  tables: readonly Table[],
  sequences: readonly SequenceState[],
): Promise<number> {
  const idOf = ({ schema, name, column }: TableName & { readonly column: string }): string =>
    JSON.stringify([schema, name, column]);
  const there = new Map((await findSequences(to, tables)).map((each) => [idOf(each), each.sequence]));
  let count = 0;
  for (const state of sequences) {
    const target = there.get(idOf(state));
    if (target === undefined) continue;
    await tell(to, "SELECT setval($1::regclass, $2::int8, $3::bool)", [target, state.last, String(state.isGiven)]);
    count += 1;
  }
  return count;
}
