import type { Column, Table } from "../model.ts";
import { ask, type Querier } from "../querier.ts";
import type { Loss } from "../types/losses.ts";
import { rowsOf } from "./keys.ts";
import { quoteName, quoteText } from "./quote.ts";

/** Most of a value that is shown. */
const SHOWN = 60;

/** For each of what may not be lost a value that would be; undefined where there is none. One scan of the table. */
export async function findLosses(
  on: Querier,
  table: Table,
  losses: readonly Loss[],
  signal: AbortSignal | undefined,
): Promise<readonly (string | undefined)[]> {
  if (losses.length === 0) return [];
  const parts = losses.map((loss) => {
    const column = table.columns.find(({ name }) => name === loss.column) as Column; // a loss is of a column of its table
    const name = quoteName(column.name);
    return `min(left(${name}::text, ${SHOWN})) FILTER (WHERE ${isLost(name, column, loss)})`;
  });
  const text = `SELECT json_build_array(${parts.join(", ")})::text AS found FROM ${rowsOf(table)}`;
  const [row] = await ask<{ found: string }>(on, text, [], signal);
  const found = JSON.parse(row?.found ?? "[]") as readonly (string | null)[];
  return found.map((each) => each ?? undefined);
}

function isLost(name: string, column: Column, loss: Loss): string {
  switch (loss.rule) {
    case "whole-number":
      return `${name} < ${loss.min} OR ${name} > ${loss.max}`;
    case "digits": {
      const isTooLong = `abs(trunc(${name})) >= 1e${loss.precision - loss.scale}::numeric`;
      return `${name}::text ~ '^[-0-9.]+$' AND (scale(trim_scale(${name})) > ${loss.scale} OR ${isTooLong})`;
    }
    case "not-finite":
      return `${name}::text IN ('NaN', 'Infinity', '-Infinity')`;
    case "negative-zero":
      return `${name} = 0 AND ${name}::text = '-0'`;
    case "single-precision":
      // what does not fit at all is an error of the cast: it is asked for apart
      return `CASE WHEN ${name}::text IN ('NaN', 'Infinity', '-Infinity') THEN false
        WHEN abs(${name}) > 3.4028234663852886e38 OR (${name} <> 0 AND abs(${name}) < 1.401298464324817e-45) THEN true
        ELSE ${name}::real::float8 <> ${name} END`;
    case "length": {
      const value = column.neutral.kind === "bytes" ? name : `${name}::text`;
      const tooLong = loss.characters === undefined ? [] : [`length(${value}) > ${loss.characters}`];
      const tooBig = loss.bytes === undefined ? [] : [`octet_length(${value}) > ${loss.bytes}`];
      return [...tooLong, ...tooBig].join(" OR ");
    }
    case "years": {
      const type = column.neutral.kind === "date" ? "date" : "timestamp";
      const isShort = loss.last.includes(":");
      const end = isShort ? `${quoteText(loss.last)}::${type} + interval '1 s'` : `${quoteText(loss.last)}::date + 1`;
      const value = column.neutral.kind === "instant" ? `(${name} AT TIME ZONE 'UTC')` : name;
      // infinity is after and before all of them
      return type === "date"
        ? `${name} < ${quoteText(loss.first)}::date OR ${name} > ${quoteText(loss.last)}::date`
        : `${value} < ${quoteText(loss.first)}::timestamp OR ${value} >= ${end}`;
    }
    case "fraction":
      return `date_trunc('second', ${name}) <> ${name} AND ${name}::text ~ '[.]\\d{${loss.digits + 1}}'`;
    case "label":
      return `${name}::text <> ALL (ARRAY[${loss.labels.map(quoteText).join(", ")}]::text[])`;
    // only other systems have these
    case "nul":
    case "zero-dates":
    case "time-of-day":
      return "false";
    default:
      return loss satisfies never;
  }
}
