import type { Column, Table } from "../model.ts";
import type { Querier } from "../querier.ts";
import type { Loss } from "../types/losses.ts";
import { askRows } from "./ask.ts";
import { quoteName, quoteTable, quoteText } from "./quote.ts";
import { isNoDay } from "./text-of.ts";

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
    return `MIN(IF(${isLost(name, column, loss)}, LEFT(${shown(name, column)}, ${SHOWN}), NULL))`;
  });
  const [row = []] = await askRows(on, `SELECT ${parts.join(", ")} FROM ${quoteTable(table)}`, signal);
  return losses.map((_, index) => row[index] ?? undefined);
}

const shown = (name: string, { neutral }: Column): string =>
  neutral.kind === "bytes" ? `HEX(LEFT(${name}, ${SHOWN / 2}))` : `CONVERT(${name} USING utf8mb4)`;

function isLost(name: string, column: Column, loss: Loss): string {
  switch (loss.rule) {
    case "whole-number":
      return `${name} < ${loss.min} OR ${name} > ${loss.max}`;
    case "digits": {
      const isTooFine = `TRUNCATE(${name}, ${loss.scale}) <> ${name}`;
      return `${isTooFine} OR ABS(${name}) >= 1${"0".repeat(Math.max(0, loss.precision - loss.scale))}`;
    }
    case "single-precision":
      // what is exact in 24 bits of a double is so in a float of its own
      return `CAST(${name} AS FLOAT) + 0e0 <> ${name}`;
    case "length": {
      const tooLong = loss.characters === undefined ? [] : [`CHAR_LENGTH(${name}) > ${loss.characters}`];
      const value = column.neutral.kind === "bytes" ? name : `CONVERT(${name} USING utf8mb4)`;
      const tooBig = loss.bytes === undefined ? [] : [`LENGTH(${value}) > ${loss.bytes}`];
      return [...tooLong, ...tooBig].join(" OR ");
    }
    case "nul":
      // of bytes: some collations find it everywhere
      return `LOCATE(CHAR(0), CAST(CONVERT(${name} USING utf8mb4) AS BINARY)) > 0`;
    case "years":
      return `${name} < ${quoteText(loss.first)} OR ${name} >= ${quoteText(loss.last)} + INTERVAL 1 SECOND`;
    case "zero-dates":
      return isNoDay(name);
    case "time-of-day":
      return `${name} < '00:00:00' OR ${name} > '24:00:00'`;
    case "fraction":
      return `MICROSECOND(${name}) % 1${"0".repeat(6 - loss.digits)} <> 0`;
    case "label":
      return loss.labels.length === 0
        ? "TRUE"
        : `CAST(CONVERT(${name} USING utf8mb4) AS BINARY) NOT IN (${loss.labels.map(quoteText).join(", ")})`;
    // only other systems have these
    case "not-finite":
    case "negative-zero":
      return "FALSE";
    default:
      return loss satisfies never;
  }
}
