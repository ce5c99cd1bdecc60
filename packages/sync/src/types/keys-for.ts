import { createHash } from "node:crypto";
import {
  type Constraints,
  type ForeignKeyDefinition,
  type Index,
  nameOf,
  type System,
  type TableName,
} from "../model.ts";

/** Indexes and foreign keys that a target is given when its rows are there. JSON, in the plan of a copy. */
export interface Keys extends Pick<Constraints, "indexes" | "foreignKeys"> {
  /** What is not made, and why: for whoever has to know. */
  readonly left: readonly string[];
}

export const NO_KEYS: Keys = Object.freeze({ indexes: [], foreignKeys: [], left: [] });

/** What another system can have of the indexes and foreign keys of some tables, under names that it takes. Pure. */
export function keysFor({ indexes, foreignKeys, others }: Constraints, tables: readonly TableName[], to: System): Keys {
  const chosen = new Set(tables.map(identityOf));
  const isChosen = (table: TableName): boolean => chosen.has(identityOf(table));
  // of PostgreSQL's indexes they belong to the schema, and where they come from to the table
  const names = new Names(to === "postgres");
  const keyNames = new Names(false);
  const left = others.filter(({ table }) => isChosen(table)).map((each) => notMade(each, each.reason));
  const among = foreignKeys.filter(({ table, name, references }) => {
    if (isChosen(table) && !isChosen(references))
      left.push(notMade({ table, name }, `it refers to ${nameOf(references)}, which is not made here`));
    return isChosen(table) && isChosen(references);
  });
  return {
    indexes: indexes
      .filter(({ table }) => isChosen(table))
      .map((index) => ({ ...index, name: names.take(index.table, index.name) })),
    foreignKeys: among.flatMap((key) => {
      if (to === "mysql" && [key.onUpdate, key.onDelete].includes("set default")) {
        left.push(notMade(key, "it sets a default, which InnoDB does not do"));
        return [];
      }
      return [{ ...key, name: keyNames.take(key.table, key.name) }];
    }),
    left,
  };
}

/** By table the columns of its unique indexes and foreign keys, and those that foreign keys refer to. Pure. */
export function columnsInKeys({ indexes, foreignKeys }: Keys): (table: TableName) => readonly (readonly string[])[] {
  const found = new Map<string, (readonly string[])[]>();
  const add = (table: TableName, columns: readonly string[]): void => {
    const identity = identityOf(table);
    const lists = found.get(identity);
    if (lists === undefined) found.set(identity, [columns]);
    else lists.push(columns);
  };
  for (const { table, columns, isUnique } of indexes) if (isUnique) add(table, columns);
  for (const { table, columns, references, parentColumns } of foreignKeys) {
    add(table, columns);
    add(references, parentColumns);
  }
  return (table) => found.get(identityOf(table)) ?? [];
}

/** What is not there yet, by whatever name. Pure. */
export function withoutThose(
  { indexes, foreignKeys }: Pick<Keys, "indexes" | "foreignKeys">,
  there: Constraints,
): Pick<Keys, "indexes" | "foreignKeys"> {
  const ofIndex = ({ table, columns, isUnique }: Index): string =>
    JSON.stringify([identityOf(table), columns, isUnique]);
  const ofKey = ({ table, columns, references, parentColumns }: ForeignKeyDefinition): string =>
    JSON.stringify([identityOf(table), columns, identityOf(references), parentColumns]);
  const byName = ({ table, name }: { readonly table: TableName; readonly name: string }): string =>
    JSON.stringify([identityOf(table), name]);
  const known = new Set([...there.indexes.map(ofIndex), ...there.foreignKeys.map(ofKey)]);
  // of some only the beginnings of values are in it
  const named = new Set(there.others.map(byName));
  return {
    indexes: indexes.filter((index) => !known.has(ofIndex(index)) && !named.has(byName(index))),
    foreignKeys: foreignKeys.filter((key) => !known.has(ofKey(key))),
  };
}

/** Tables without an index or a foreign key: such as were made for the rows alone. Pure. */
export function bareOf<T extends TableName>(
  tables: readonly T[],
  { indexes, foreignKeys, others }: Constraints,
): readonly T[] {
  const keyed = new Set([...indexes, ...foreignKeys, ...others].map(({ table }) => identityOf(table)));
  return tables.filter((table) => !keyed.has(identityOf(table)));
}

const identityOf = ({ schema, name }: TableName): string => JSON.stringify([schema, name]);

/** For a person. */
export const notMade = ({ table, name }: { readonly table: TableName; readonly name: string }, why: string): string =>
  `${nameOf(table)}: ${name} was not made: ${why}`;

/** Of PostgreSQL; MariaDB and MySQL take as many characters. */
const MOST_BYTES = 63;

/** Gives each name once. */
class Names {
  readonly #withTable: boolean;
  readonly #taken = new Set<string>();

  /** @param withTable what is not named by its table is given its name */
  constructor(withTable: boolean) {
    this.#withTable = withTable;
  }

  take(table: TableName, wanted: string): string {
    const full = this.#withTable && !wanted.startsWith(table.name) ? `${table.name}_${wanted}` : wanted;
    let name = fitting(full);
    for (let n = 2; this.#taken.has(name); n += 1) name = fitting(`${full}_${n}`);
    this.#taken.add(name);
    return name;
  }
}

function fitting(name: string): string {
  if (Buffer.byteLength(name) <= MOST_BYTES) return name;
  const digest = createHash("sha256").update(name).digest("hex").slice(0, 8);
  let kept = "";
  for (const character of name) {
    if (Buffer.byteLength(kept + character) > MOST_BYTES - digest.length - 1) break;
    kept += character;
  }
  return `${kept}_${digest}`;
}
