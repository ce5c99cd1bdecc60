import type { Form, NeutralType } from "./types/neutral.ts";

/** What the jobs know of a database, whatever its system. `mysql` is MariaDB too: where the two differ the catalogue says so. */
export type System = "postgres" | "mysql";

export interface TableName {
  /** On MariaDB and MySQL `public` is the database that the pool leads to: the only one that the jobs see. */
  readonly schema: string;
  readonly name: string;
}

export interface Column {
  readonly name: string;
  /** As the system writes it, such as `numeric(10,2)`. */
  readonly type: string;
  /** What it can hold, in no system's words. */
  readonly neutral: NeutralType;
  /** The form in which its values travel and are compared; undefined between two PostgreSQL servers, which have their own ways. */
  readonly form?: Form;
  readonly isNullable: boolean;
  /** A row that does not name it gets a value all the same. */
  readonly hasDefault: boolean;
  /** An identity that is written with its row, and never changed. */
  readonly isAlways: boolean;
  /** The server counts it up where a row does not name it. */
  readonly isCounted: boolean;
  /** Computed by the server: never written. */
  readonly isGenerated: boolean;
  /** Its values may be compared and hashed by the system as they are; else by their text. */
  readonly isPlain: boolean;
  /** Its binary form means the same on any server of the system's same major version. */
  readonly isPortable: boolean;
  /**
   * How its values are brought into an order that is the same everywhere: as they are, by their bytes in place of a collation,
   * or by their text.
   */
  readonly order: "own" | "bytes" | "text";
}

export interface ForeignKey {
  readonly name: string;
  readonly table: TableName;
  readonly references: TableName;
  readonly isDeferrable: boolean;
}

/** What a change of the parent does. */
export type ForeignKeyAction = "no action" | "restrict" | "cascade" | "set null" | "set default";

/** All that it takes to make it. */
export interface ForeignKeyDefinition extends Omit<ForeignKey, "isDeferrable"> {
  readonly columns: readonly string[];
  /** Of the parent, in the same order. */
  readonly parentColumns: readonly string[];
  readonly onUpdate: ForeignKeyAction;
  readonly onDelete: ForeignKeyAction;
}

/** An index of whole columns, as every system has them. */
export interface Index {
  readonly table: TableName;
  readonly name: string;
  readonly columns: readonly string[];
  readonly isUnique: boolean;
}

/** What tables have besides their columns and primary keys. */
export interface Constraints {
  readonly indexes: readonly Index[];
  readonly foreignKeys: readonly ForeignKeyDefinition[];
  /** Indexes and foreign keys that only their own system can have, and why. */
  readonly others: readonly { readonly table: TableName; readonly name: string; readonly reason: string }[];
}

export interface Table extends TableName {
  /** All that hold data of their own, in the table's order. */
  readonly columns: readonly Column[];
  /** Names of those that the server computes. */
  readonly generated: readonly string[];
  /** Columns of the primary key, in its order; undefined without one. */
  readonly key: readonly Column[] | undefined;
  readonly isPartitioned: boolean;
  /** Estimates. */
  readonly rows: number;
  readonly bytes: number;
  /** Mirrors cannot read it. */
  readonly isUnlogged: boolean;
  /** The role may alter the table. */
  readonly isOwned: boolean;
  /** A change names the row by its key: what `follow` needs. */
  readonly identity: "key" | "full" | "none";
}

/** Into those that hold data of their own, and the names of the others. */
export function splitColumns(columns: readonly Column[]): Pick<Table, "columns" | "generated"> {
  if (!columns.some(({ isGenerated }) => isGenerated)) return { columns, generated: NONE };
  return {
    columns: columns.filter(({ isGenerated }) => !isGenerated),
    generated: columns.filter(({ isGenerated }) => isGenerated).map(({ name }) => name),
  };
}

/** That of most tables. */
const NONE: readonly string[] = Object.freeze([]);

export interface Catalog {
  readonly system: System;
  /** Tells one database from another, as far as the system can: the same on a primary and its mirrors, today and tomorrow. */
  readonly identity: string;
  /** Tells the server's own database from every other one; that of the primary where it was read there. */
  readonly place: string;
  /** Servers with the same one understand each other's binary forms. */
  readonly major: string;
  readonly tables: readonly Table[];
  readonly foreignKeys: readonly ForeignKey[];
}

/** The text forms of a key's columns, in the key's order. */
export type Key = readonly string[];

/** The values of a row as texts, in the order of its table's columns. */
export type Row = readonly (string | null)[];

/** The same of a change: undefined is a value that was not sent, since the change has left it as it was. */
export type ChangedRow = readonly (string | null | undefined)[];

/** A part of a table by its key: from a key on, up to and without another one; null is no bound. */
export interface Range {
  readonly from: Key | null;
  readonly to: Key | null;
}

export const WHOLE: Range = Object.freeze({ from: null, to: null });

/** Row count and two sums over hashes of all rows: equal for equal sets of rows, in whatever order. */
export interface Checksum {
  readonly rows: number;
  readonly sum: string;
}

/** Where the values stand that a column is given by itself: a sequence, or a table's counter. */
export interface SequenceState extends TableName {
  readonly column: string;
  /** A whole number. */
  readonly last: string;
  /** It was given already: the next one is another. */
  readonly isGiven: boolean;
}

/** What is away while rows are written, or has to be looked at afterwards. Kept with the job, so that nothing is forgotten. */
export interface SetAside {
  /** `key` is the index of a primary key, `index` any other. */
  readonly kind: "foreign-key" | "trigger" | "key" | "index";
  /** Quoted. */
  readonly table: string;
  readonly name: string;
  /** Empty where it is not removed. */
  readonly remove: string;
  /** Brings it back, or finds what breaks it. */
  readonly restore: string;
}

/** Of what is set aside only where the target is empty. */
export const isIndex = ({ kind }: SetAside): boolean => kind === "key" || kind === "index";

export const isEqual = (one: Checksum, other: Checksum): boolean => one.rows === other.rows && one.sum === other.sum;

export const nameOf = ({ schema, name }: TableName): string => `${schema}.${name}`;

export const isSameTable = (one: TableName, other: TableName): boolean =>
  one.schema === other.schema && one.name === other.name;

/** The ranges between bounds: together they cover everything, also what is not there yet. */
export function rangesBetween(bounds: readonly Key[], range: Range): readonly Range[] {
  if (bounds.length === 0) return [range];
  const { from, to } = range;
  const edges = [from, ...bounds, to];
  return edges.slice(1).map((edge, index) => ({ from: edges[index] ?? null, to: edge }));
}
