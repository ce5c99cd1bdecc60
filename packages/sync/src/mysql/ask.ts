import type { StatementOptions } from "@mirrorpool/core";
import { PATIENT, type Querier } from "../querier.ts";

/** A field of `mysql2`, as its `typeCast` gets it. */
export interface Field {
  string(): string | null;
  buffer(): Buffer | null;
}

const asText = (field: Field): string | null => field.string();

/** What the application may have set otherwise for its own statements. */
const PLAIN = { rowsAsArray: false, nestTables: false, typeCast: asText } as const;

/** Rows of text alone: whatever the application has set for its types, nothing passes through a number or a date. */
export async function ask<Row extends Readonly<Record<string, string | null>>>(
  on: Querier,
  text: string,
  values: readonly unknown[] = [],
  signal?: AbortSignal,
): Promise<readonly Row[]> {
  const { rows } = await on.query<Row>({ text, values, ...PLAIN }, undefined, optionsOf(signal));
  return rows;
}

/** The same without names: a row is a list of texts. */
export async function askRows(
  on: Querier,
  text: string,
  signal?: AbortSignal,
): Promise<readonly (readonly (string | null)[])[]> {
  const { rows } = await on.query({ text, ...PLAIN, rowsAsArray: true }, undefined, optionsOf(signal));
  return rows as readonly unknown[] as readonly (readonly (string | null)[])[]; // so it was asked for
}

/** For a statement without an answer. Returns how many rows it concerned. */
export async function tell(
  on: Querier,
  text: string,
  values: readonly unknown[] = [],
  signal?: AbortSignal,
): Promise<number> {
  const { rowCount } = await on.query({ text, values }, undefined, optionsOf(signal));
  return rowCount ?? 0;
}

const optionsOf = (signal: AbortSignal | undefined): StatementOptions =>
  signal === undefined ? PATIENT : { ...PATIENT, signal };
