import type { Refusal } from "./errors.ts";
import type { Catalog, Column, Table } from "./model.ts";
import { isSameTable, nameOf } from "./model.ts";

/** A table of the source, and the one of the target that shall be equal to it. */
export interface Pair {
  readonly source: Table;
  readonly target: Table;
}

/** Finds each table's other half, or says why its rows cannot be had there without a loss. Pure. */
export function pairTables(
  selected: readonly Table[],
  target: Catalog,
): { readonly pairs: readonly Pair[]; readonly refusals: readonly Refusal[] } {
  const pairs: Pair[] = [];
  const refusals: Refusal[] = [];
  const byName = new Map(target.tables.map((table) => [nameOf(table), table]));
  for (const source of selected) {
    const table = nameOf(source);
    const other = byName.get(table);
    if (other === undefined || !isSameTable(source, other)) {
      const reason =
        "there is no such table on the target. Make the schema there first, such as by pg_dump --schema-only";
      refusals.push({ table, reason });
      continue;
    }
    const found = refusalsOf(source, other);
    if (found.length === 0) pairs.push({ source, target: other });
    refusals.push(...found.map((refusal) => ({ table, ...refusal })));
  }
  return { pairs, refusals };
}

type Objection = Omit<Refusal, "table">;

function refusalsOf(source: Table, target: Table): readonly Objection[] {
  const objections: Objection[] = [];
  if (source.columns.length === 0) objections.push({ reason: "it has no column that could be written" });
  const there = new Map(target.columns.map((column) => [column.name, column]));
  for (const column of source.columns) {
    const reason = target.generated.includes(column.name)
      ? "the target computes it, the source does not"
      : objection(column, there.get(column.name));
    if (reason !== undefined) objections.push({ column: column.name, reason });
    there.delete(column.name);
  }
  for (const name of source.generated) {
    if (there.delete(name)) objections.push({ column: name, reason: "the source computes it, the target does not" });
  }
  for (const { name, isNullable, hasDefault } of there.values()) {
    if (!isNullable && !hasDefault)
      objections.push({ column: name, reason: "the target needs a value for it, and the source has no such column" });
  }
  const keyOf = ({ key }: Table): string => (key ?? []).map(({ name }) => name).join("\n");
  if (keyOf(source) !== keyOf(target)) objections.push({ reason: "source and target have different primary keys" });
  return objections;
}

function objection(column: Column, other: Column | undefined): string | undefined {
  if (other === undefined) return "the target has no such column";
  if (!isLossless(column.type, other.type)) return `${column.type} does not fit into ${other.type} without a loss`;
  return undefined;
}

const WHOLE_NUMBERS = ["smallint", "integer", "bigint"];
const TEXTS = /^(text|character varying(\((\d+)\))?)$/;

/** The other type has every value of the one, and shows it in the same way. Pure. */
export function isLossless(from: string, to: string): boolean {
  if (from === to) return true;
  const [one, other] = [WHOLE_NUMBERS.indexOf(from), WHOLE_NUMBERS.indexOf(to)];
  if (one >= 0) return other >= one || to === "numeric";
  const [source, target] = [TEXTS.exec(from), TEXTS.exec(to)];
  if (source === null || target === null) return false;
  return target[3] === undefined || (source[3] !== undefined && Number(source[3]) <= Number(target[3]));
}

/** Both with the same columns in the same order, and those by their texts that are of two types: so their checksums compare. Pure. */
export function comparable({ source, target }: Pair): Pair {
  const there = new Map(target.columns.map((column) => [column.name, column]));
  const columns = source.columns.map((column) => {
    const other = there.get(column.name) as Column; // a pair has all columns of its source
    const isPlain = column.isPlain && other.isPlain && column.type === other.type;
    return [
      { ...column, isPlain },
      { ...other, isPlain },
    ] as const;
  });
  return {
    source: { ...source, columns: columns.map(([column]) => column) },
    target: { ...target, columns: columns.map(([, other]) => other) },
  };
}
