import { hash } from "node:crypto";
import type { Result } from "../driver.ts";

/** What a statement answered, in a few bytes: equal digests mean that the application saw the same. */
export type Digest = string;

/** Up to this length the answer itself is its digest: most statements of a transaction answer with less than a hash would take. */
const MAX_PLAIN = 128;

/**
 * Columns, rows, affected count, given id and command, in the values that the application got.
 * @throws for values that have no form as text, which a type parser of the application may make
 */
export function digestResult(result: Result): Digest {
  const text = result.results === undefined ? toText(result) : result.results.map(toText).join(";");
  return text.length <= MAX_PLAIN ? text : hash("sha1", text, "base64");
}

function toText({ command, rowCount, fields, rows, insertId }: Result): string {
  const what = insertId === undefined ? `${command} ${rowCount}` : `${command} ${rowCount} id ${insertId}`;
  // an answer without columns has nothing else to tell
  if (rows.length === 0 && (fields === undefined || fields.length === 0)) return what;
  return `${what} ${stringify([fields?.map((field) => field.name), rows])}`;
}

/** JSON; a replacer for what it has no form for is used only where there is such a thing, since it makes all others slow. */
function stringify(value: unknown): string {
  try {
    const text = JSON.stringify(value);
    // it is also what becomes of NaN and Infinity
    return text.includes("null") ? JSON.stringify(value, withAllNumbers) : text;
  } catch {
    return JSON.stringify(value, withAllNumbers);
  }
}

function withAllNumbers(_: string, each: unknown): unknown {
  if (typeof each === "bigint") return `${each}n`;
  return typeof each === "number" && !Number.isFinite(each) ? `${each}` : each;
}

/** The error that the application saw is told by its code alone: texts may name positions, pids and times. */
export function digestError(code: string | undefined): Digest {
  return `error ${code ?? ""}`;
}
