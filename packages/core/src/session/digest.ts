import { createHash } from "node:crypto";
import type { Result } from "../driver.ts";

/** What a statement answered, in a few bytes: equal digests mean that the application saw the same. */
export type Digest = string;

/** Columns, rows, affected count and command, in the values that the application got. */
export function digestResult(result: Result): Digest {
  const hash = createHash("sha1");
  for (const each of result.results ?? [result]) {
    hash.update(`${each.command} ${each.rowCount} `);
    hash.update(JSON.stringify([each.fields?.map((field) => field.name), each.rows], toText));
  }
  return hash.digest("base64");
}

/** The error that the application saw is told by its code alone: texts may name positions, pids and times. */
export function digestError(code: string | undefined): Digest {
  return `error ${code ?? ""}`;
}

/** What JSON has no form for. */
function toText(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}n` : value;
}
