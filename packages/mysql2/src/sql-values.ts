import type { Statement } from "@mirrorpool/core";
import mysql from "mysql2";
import type { ClientSettings } from "./open.ts";

/** Whether the values cannot change what a text is. `??` is a name, and an object may be any SQL at all. */
export function areHarmless(text: string, values: readonly unknown[]): boolean {
  return !text.includes("??") && values.every(isPlain);
}

function isPlain(value: unknown): boolean {
  if (typeof value !== "object") return typeof value !== "function";
  return (
    value === null || value instanceof Date || Buffer.isBuffer(value) || (Array.isArray(value) && value.every(isPlain))
  );
}

/**
 * A statement whose values may be SQL, such as those of `mysql.raw()`, is judged by the text with them in it; it is the driver's
 * connection that writes them, by its own settings. Who has put them in already has said so.
 */
export function completeBy(settings: ClientSettings): (statement: Statement) => Statement {
  const { queryFormat, stringifyObjects, timezone } = settings;
  return (statement) => {
    const { text, values: given, execute, written, sql } = statement;
    const isWritten = execute === true || written !== undefined || sql !== undefined;
    if (isWritten || !Array.isArray(given) || areHarmless(text, given)) return statement;
    const { values, ...others } = statement;
    const final =
      queryFormat === undefined
        ? mysql.format(text, given, stringifyObjects, timezone)
        : String(Reflect.apply(queryFormat, mysql, [text, given, timezone])); // its type says that it returns nothing
    return { ...others, text: final, written: { text, values } };
  };
}
