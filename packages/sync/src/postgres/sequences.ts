import type { FailoverPool } from "@mirrorpool/core";
import type { SequenceState, Table, TableName } from "../model.ts";
import { ask, onPrimary, type Querier, tell } from "../querier.ts";
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

function findSequences(
  on: Querier,
  tables: readonly TableName[],
  signal?: AbortSignal | undefined,
): Promise<readonly Found[]> {
  return ask<Found>(on, SEQUENCES, [tables.map(quoteTable)], signal);
}

/** Sequences of one statement: each is locked to its end, and the server has room for some thousand locks. */
const BATCH = 200;

/** They are not part of any view: read after the rows they are never behind them. */
export async function readSequences(
  pool: FailoverPool,
  tables: readonly Table[],
  signal: AbortSignal | undefined,
): Promise<readonly SequenceState[]> {
  const on = onPrimary(pool);
  const found = await findSequences(on, tables, signal);
  const states: SequenceState[] = [];
  for (let first = 0; first < found.length; first += BATCH) {
    const batch = found.slice(first, first + BATCH);
    const parts = batch.map(
      ({ sequence }, place) =>
        `SELECT '${place}' AS place, last_value::text AS last, is_called::text AS is_called FROM ${sequence}`,
    );
    const rows = await ask<{ place: string; last: string; is_called: string }>(
      on,
      parts.join(" UNION ALL "),
      [],
      signal,
    );
    for (const { place, last, is_called } of rows) {
      const { schema, name, column } = batch[Number(place)] as Found; // a place of the batch
      states.push({ schema, name, column, last, isGiven: is_called === "true" });
    }
  }
  return states;
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
  const known = sequences.flatMap(({ last, isGiven, ...state }) => {
    const sequence = there.get(idOf(state));
    return sequence === undefined ? [] : [{ sequence, last, isGiven }];
  });
  for (let first = 0; first < known.length; first += BATCH) {
    const batch = known.slice(first, first + BATCH);
    await tell(
      to,
      "SELECT setval(given.sequence::regclass, given.last, given.is_given) FROM unnest($1::text[], $2::int8[], $3::bool[]) AS given(sequence, last, is_given)",
      [batch.map(({ sequence }) => sequence), batch.map(({ last }) => last), batch.map(({ isGiven }) => isGiven)],
    );
  }
  return known.length;
}
