import type { MysqlResult } from "@mirrorpool/mysql2";
import { numberOf, RowsRefused } from "../../faults.ts";
import { type ChangedRow, type Key, nameOf, type Row, type Table } from "../../model.ts";
import { ask, tell } from "../../mysql/ask.ts";
import type { Header } from "../../mysql/header.ts";
import { byKeys } from "../../mysql/keys.ts";
import { quoteName, quoteTable } from "../../mysql/quote.ts";
import { deleteRows, readRows, writeRows } from "../../mysql/rows.ts";
import { type Flavor, writerSettings } from "../../mysql/settings.ts";
import { literalOf } from "../../mysql/text-of.ts";
import type { Pair } from "../../pair-tables.ts";
import { PATIENT, type Querier } from "../../querier.ts";
import type { Applier } from "../applier.ts";

/** Characters of one statement: below the smallest `max_allowed_packet` that servers have by default. */
const STATEMENT_CHARACTERS = 1_000_000;
const DUPLICATE = 1062;

/** @param keepsOrder tables to which foreign keys refer that act as told; without any they are left alone */
export function mysqlApplier(
  flavor: Flavor,
  pairs: readonly Pair[],
  keepsOrder: ReadonlySet<string>,
  isConflict: (error: unknown) => boolean,
): Applier {
  const settings = writerSettings(flavor, true);
  // a row of these that goes and comes again is the same one
  const replaceable = new Set(
    pairs
      .filter(({ source, target }) => source.columns.length === target.columns.length)
      .map(({ target }) => nameOf(target)),
  );
  return {
    actions: keepsOrder.size > 0 ? "as-told" : "never",
    keepsOrder,
    prepare: async (on) => {
      await on.query(settings, undefined, PATIENT);
    },
    act: async (on, doAct) => {
      await tell(on, `SET SESSION foreign_key_checks = ${doAct ? 1 : 0}`);
    },
    insertRows,
    updateRows: async (on, table, keys, rows, signal) => {
      const isWhole = rows.length > 1 && rows.every((row) => !row.includes(undefined));
      if (!isWhole || keepsOrder.size > 0 || !replaceable.has(nameOf(table)))
        return updateEach(on, table, keys, rows, signal);
      // two statements in place of one for each row; no foreign key is looked at
      const count = await deleteRows(on, table, keys, signal);
      if (count === rows.length) await insertRows(on, table, rows as readonly Row[], signal);
      return count;
    },
    deleteRows,
    writeRows,
    readRows,
    // TRUNCATE would end the transaction
    truncate: async (on, tables) => {
      for (const table of tables) await tell(on, `DELETE FROM ${quoteTable(table)}`);
    },
    isConflict,
  };
}

/** Adds rows; where the keys of some are there already, says that fewer were. */
async function insertRows(
  on: Querier,
  table: Table,
  rows: readonly Row[],
  signal: AbortSignal | undefined,
): Promise<number> {
  if (rows.length === 0) return 0;
  const { columns, key = [] } = table;
  const head = `INSERT INTO ${quoteTable(table)} (${columns.map(({ name }) => quoteName(name)).join(", ")}) VALUES `;
  try {
    for (const values of pieces(rows.map((row) => `(${literals(table, row).join(", ")})`)))
      await write(on, head + values.join(", "), signal);
    return rows.length;
  } catch (error) {
    if (numberOf(error) !== DUPLICATE) throw error;
    const places = key.map(({ name }) => columns.findIndex((column) => column.name === name));
    const keys = rows.map((row) => places.map((place) => row[place] ?? ""));
    const text = `SELECT COUNT(*) AS count FROM ${quoteTable(table)} WHERE ${byKeys(table, keys)}`;
    const [there] = await ask<{ count: string }>(on, text, [], signal);
    if (there?.count === "0") throw error; // it is another unique key
    return rows.length - Number(there?.count);
  }
}

async function updateEach(
  on: Querier,
  table: Table,
  keys: readonly Key[],
  rows: readonly ChangedRow[],
  signal: AbortSignal | undefined,
): Promise<number> {
  let count = 0;
  for (const [index, row] of rows.entries()) {
    const values = literals(table, row);
    const updates = table.columns.flatMap(({ name }, place) =>
      row[place] === undefined ? [] : [`${quoteName(name)} = ${values[place]}`],
    );
    const where = byKeys(table, [keys[index] ?? []]);
    count += await write(on, `UPDATE ${quoteTable(table)} SET ${updates.join(", ")} WHERE ${where}`, signal);
  }
  return count;
}

/** Returns how many rows it concerned. @throws {RowsRefused} where the server has changed a value: it only warns of lost digits */
async function write(on: Querier, text: string, signal: AbortSignal | undefined): Promise<number> {
  const options = signal === undefined ? PATIENT : { ...PATIENT, signal };
  const { rowCount, answer } = (await on.query({ text, values: [] }, undefined, options)) as MysqlResult; // its driver's
  const [header] = answer as readonly [Header, unknown];
  if (header.warningStatus > 0) {
    const [first] = await ask<{ Code: string }>(on, "SHOW WARNINGS LIMIT 1");
    throw new RowsRefused(Number(first?.Code));
  }
  return rowCount ?? 0;
}

function literals({ columns }: Table, row: ChangedRow): readonly string[] {
  return columns.map((column, place) => {
    const text = row[place];
    return text === null || text === undefined ? "NULL" : literalOf(column, text);
  });
}

function* pieces(rows: readonly string[]): Generator<readonly string[]> {
  let piece: string[] = [];
  let characters = 0;
  for (const row of rows) {
    if (piece.length > 0 && characters + row.length > STATEMENT_CHARACTERS) {
      yield piece;
      piece = [];
      characters = 0;
    }
    piece.push(row);
    characters += row.length;
  }
  yield piece;
}
