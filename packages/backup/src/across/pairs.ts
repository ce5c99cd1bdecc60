import type { LossyRule } from "@mirrorpool/sync";
import {
  type Catalog,
  columnsInKeys,
  createTable,
  type Form,
  type Keys,
  keysFor,
  nameOf,
  type Pair,
  pairTables,
  type System,
  type Table,
} from "@mirrorpool/sync/for-other-jobs";
import { BackupError } from "../errors.ts";
import type { BackedUpColumn, BackedUpTable, Manifest } from "../format/manifest.ts";
import { tableOf } from "../format/table-of.ts";
import { showTable } from "../table-names.ts";
import { type Conversion, conversionOf } from "./conversion.ts";
import type { Refusal } from "./refusals.ts";

/** A table of a backup, the one of another system that its rows go into, and what becomes of their values. */
export interface PlacedPair extends Pair {
  readonly conversions: readonly (Conversion | undefined)[];
}

/** From which system to which, and what may be lost on the way. */
export interface Way {
  readonly from: System;
  readonly to: System;
  readonly lossy: ReadonlySet<LossyRule>;
}

export const systemOf = ({ source }: Pick<Manifest, "source">): System =>
  source.system === "postgresql" ? "postgres" : "mysql";

/** The name that a table has elsewhere: a partition's rows are its table's. Pure. */
export const homeOf = ({ schema, name, root }: BackedUpTable): { readonly schema: string; readonly name: string } =>
  root ?? { schema, name };

/** @throws {BackupError} `NOT_SUPPORTED` for rows that only their own system reads */
function requireReadable(table: BackedUpTable): void {
  const subject = showTable(table);
  const refuse = (why: string): BackupError =>
    new BackupError("NOT_SUPPORTED", `${subject} goes into its own system alone: ${why}`, { subject });
  if (table.form === "binary") throw refuse('its rows are in binary form, and not in form: "text"');
  if ((table.neutral ?? []).length < table.columns.length) throw refuse("the backup does not tell its types");
}

/** The chosen tables as sync knows tables, under the names that they have elsewhere. Pure. */
function modelsOf(manifest: Manifest, places: readonly number[]): ReadonlyMap<number, Table> {
  const models = new Map<number, Table>();
  for (const place of places) {
    const table = manifest.tables[place];
    if (table === undefined) continue;
    requireReadable(table);
    models.set(place, { ...tableOf(table), ...homeOf(table) });
  }
  return models;
}

/** The statements that make the chosen tables in the other system, each once. Pure. */
export function definitionsOf(
  manifest: Manifest,
  places: readonly number[],
  { to, lossy }: Way,
): { readonly texts: readonly string[]; readonly refusals: readonly Refusal[] } {
  const byName = new Map([...modelsOf(manifest, places).values()].map((model) => [nameOf(model), model]));
  const texts: string[] = [];
  const refusals: Refusal[] = [];
  const keysOfTable = columnsInKeys(keysOf(manifest, places, to));
  for (const [table, model] of byName) {
    if (to === "mysql" && model.schema !== "public") {
      refusals.push({ table, reason: "MariaDB and MySQL have the tables of the schema public only" });
      continue;
    }
    const made = createTable(model, to, lossy, keysOfTable(model));
    // one that is there is of a step that was broken off
    if (made.text !== undefined) texts.push(made.text.replace(/^CREATE TABLE /, "CREATE TABLE IF NOT EXISTS "));
    else refusals.push(...made.refusals.map((refusal) => ({ table, ...refusal })));
  }
  return { texts, refusals };
}

const UNTOLD = "the backup does not tell of indexes and foreign keys: make them yourself";

/** What the chosen tables are given when they have their rows. Pure. */
export function keysOf({ tables, constraints }: Manifest, places: readonly number[], to: System): Keys {
  if (constraints === undefined) return { indexes: [], foreignKeys: [], left: [UNTOLD] };
  const homes = places.flatMap((place) => tables[place] ?? []).map(homeOf);
  return keysFor(constraints, homes, to);
}

/** Where the rows of the chosen tables go, by the places of these. Pure. */
export function placePairs(
  manifest: Manifest,
  places: readonly number[],
  target: Catalog,
  way: Way,
): { readonly pairs: ReadonlyMap<number, PlacedPair>; readonly refusals: readonly Refusal[] } {
  const models = modelsOf(manifest, places);
  const homes = new Map([...models.values()].map((model) => [nameOf(model), model]));
  const { pairs: found, refusals } = pairTables([...homes.values()], target, way);
  const byName = new Map(found.map((pair) => [nameOf(pair.source), pair]));
  const pairs = new Map<number, PlacedPair>();
  for (const [place, model] of models) {
    const pair = byName.get(nameOf(model));
    const { neutral = [] } = manifest.tables[place] as BackedUpTable; // a model is of one
    if (pair === undefined) continue;
    const conversions = neutral.map((column) => conversionOf(column, formOf(pair, column)));
    pairs.set(place, { ...pair, conversions });
  }
  return { pairs, refusals };
}

const formOf = ({ target }: Pair, { name }: BackedUpColumn): Form =>
  target.columns.find((column) => column.name === name)?.form ?? "text";
