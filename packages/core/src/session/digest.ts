import { hash } from "node:crypto";
import type { Result } from "../driver.ts";

/** What a statement answered, in a few bytes: equal digests mean that the application saw the same. */
export type Digest = string;

/** Up to this length the answer itself is its digest: most statements of a transaction answer with less than a hash would take. */
const MAX_PLAIN = 128;

/** Columns, rows, affected count and command, in the values that the application got. */
export function digestResult(result: Result): Digest {
  const text = result.results === undefined ? toText(result) : result.results.map(toText).join(";");
  return text.length <= MAX_PLAIN ? text : hash("sha1", text, "base64");
}

function toText({ command, rowCount, fields, rows }: Result): string {
  const what = `${command} ${rowCount}`;
  // an answer without columns has nothing else to tell
  if (rows.length === 0 && (fields === undefined || fields.length === 0)) return what;
  return `${what} ${stringify([fields?.map((field) => field.name), rows])}`;
}

/** JSON; a replacer for what it has no form for is used only where there is such a thing, since it makes all others slow. */
function stringify(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? `${each}n` : each));
  }
}

/** The error that the application saw is told by its code alone: texts may name positions, pids and times. */
export function digestError(code: string | undefined): Digest {
  return `error ${code ?? ""}`;
}
