import type { Refusal } from "./errors.ts";
import type { Catalog, Column, System, Table } from "./model.ts";
import { isSameTable, nameOf } from "./model.ts";
import { fit, type LossyRule, type Risk } from "./types/fit.ts";
import type { Loss } from "./types/losses.ts";
import type { Form } from "./types/neutral.ts";

/** A table of the source, and the one of the target that shall be equal to it. */
export interface Pair {
  readonly source: Table;
  readonly target: Table;
  /** What the source may have and the target cannot hold: to be looked for before the first row. */
  readonly losses: readonly Loss[];
}

/** Between which systems, and which losses are accepted. */
export interface Crossing {
  readonly from: System;
  readonly to: System;
  readonly lossy: ReadonlySet<LossyRule>;
}

/** Finds each table's other half, or says why its rows cannot be had there without a loss. Pure. */
export function pairTables(
  selected: readonly Table[],
  target: Catalog,
  crossing: Crossing,
): { readonly pairs: readonly Pair[]; readonly refusals: readonly Refusal[] } {
  const pairs: Pair[] = [];
  const refusals: Refusal[] = [];
  const byName = new Map(target.tables.map((table) => [nameOf(table), table]));
  for (const source of selected) {
    const table = nameOf(source);
    const other = byName.get(table);
    if (other === undefined || !isSameTable(source, other)) {
      const reason =
        "there is no such table on the target. Make the schema there first, by your migrations or the server's own tools";
      refusals.push({ table, reason });
      continue;
    }
    const { objections, pair } = joined(source, other, crossing);
    if (objections.length === 0) pairs.push(pair);
    refusals.push(...objections.map((objection) => ({ table, ...objection })));
  }
  return { pairs, refusals };
}

type Objection = Omit<Refusal, "table">;

function joined(
  source: Table,
  target: Table,
  crossing: Crossing,
): { readonly pair: Pair; readonly objections: readonly Objection[] } {
  const objections: Objection[] = [];
  const losses: Loss[] = [];
  const forms = new Map<string, Form>();
  if (source.columns.length === 0) objections.push({ reason: "it has no column that could be written" });
  const there = new Map(target.columns.map((column) => [column.name, column]));
  for (const column of source.columns) {
    const { name } = column;
    const found = target.generated.includes(name)
      ? { reason: "the target computes it, the source does not" }
      : meet(column, there.get(name), crossing);
    if ("reason" in found) objections.push({ column: name, ...found });
    else {
      if (found.form !== undefined) forms.set(name, found.form);
      losses.push(...found.risks.map((risk) => ({ ...risk, column: name })));
    }
    there.delete(name);
  }
  for (const name of source.generated) {
    if (there.delete(name)) objections.push({ column: name, reason: "the source computes it, the target does not" });
  }
  for (const { name, isNullable, hasDefault } of there.values()) {
    if (!isNullable && !hasDefault)
      objections.push({ column: name, reason: "the target needs a value for it, and the source has no such column" });
  }
  for (const { name } of source.key ?? []) {
    if (forms.get(name) === "float")
      objections.push({
        column: name,
        reason: "two systems do not show a float in the same way, and here it is a key",
      });
  }
  const keyOf = ({ key }: Table): string => (key ?? []).map(({ name }) => name).join("\n");
  if (keyOf(source) !== keyOf(target)) objections.push({ reason: "source and target have different primary keys" });
  return { pair: { source: formed(source, forms), target: formed(target, forms), losses }, objections };
}

type Meeting = { readonly reason: string } | { readonly form: Form | undefined; readonly risks: readonly Risk[] };

function meet(column: Column, other: Column | undefined, { from, to, lossy }: Crossing): Meeting {
  if (other === undefined) return { reason: "the target has no such column" };
  const failed = (reason: string): Meeting => ({ reason: `${column.type} does not fit into ${other.type} ${reason}` });
  // one PostgreSQL understands the other's texts, whatever the type
  if (from === "postgres" && to === "postgres")
    return isLossless(column.type, other.type) ? { form: undefined, risks: [] } : failed("without a loss");
  const found = fit({ system: from, type: column.neutral }, { system: to, type: other.neutral }, lossy);
  if (found.fits) return found;
  return failed(
    `without a loss: ${found.reason}${found.rule === undefined ? "" : ` (lossy: ["${found.rule}"] accepts that)`}`,
  );
}

/** With the form of each column that travels, and an order of the key that is the same on both systems. */
export function formed(table: Table, forms: ReadonlyMap<string, Form>): Table {
  if (forms.size === 0) return table;
  const withForm = (column: Column): Column => {
    const form = forms.get(column.name);
    if (form === undefined) return column;
    return { ...column, form, order: ORDERED.has(form) ? "own" : "text" };
  };
  const made = new Map(table.columns.map((column) => [column, withForm(column)]));
  return {
    ...table,
    columns: [...made.values()],
    key: table.key?.map((column) => made.get(column) ?? withForm(column)),
  };
}

/** Forms whose values both systems bring into the same order by themselves. Not uuid: MariaDB has an order of its own for it. */
const ORDERED: ReadonlySet<Form> = new Set<Form>([
  ...(["number", "decimal", "boolean", "float", "bytes", "date", "time", "timestamp", "bits"] as const),
]);

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
export function comparable({ source, target, ...rest }: Pair): Pair {
  const there = new Map(target.columns.map((column) => [column.name, column]));
  const columns = source.columns.map((column) => {
    const other = there.get(column.name) as Column; // a pair has all columns of its source
    const isPlain = column.isPlain && other.isPlain && column.type === other.type && column.form === undefined;
    return [withPlain(column, isPlain), withPlain(other, isPlain)] as const;
  });
  return {
    ...rest,
    source: withColumns(
      source,
      columns.map(([column]) => column),
    ),
    target: withColumns(
      target,
      columns.map(([, other]) => other),
    ),
  };
}

/** Mostly nothing changes: there may be ten thousand tables, and no two copies of them are needed. */
const withPlain = (column: Column, isPlain: boolean): Column =>
  column.isPlain === isPlain ? column : { ...column, isPlain };

const withColumns = (table: Table, columns: readonly Column[]): Table =>
  columns.length === table.columns.length && columns.every((column, index) => column === table.columns[index])
    ? table
    : { ...table, columns };
