import type { Form } from "@mirrorpool/sync/for-other-jobs";
import type { BackedUpColumn } from "../format/manifest.ts";
import { isNoDay } from "./calendar.ts";
import { asDouble } from "./single-precision.ts";

/** A value as it stands in a chunk, bytes as characters, as it is written for another system; null is NULL. */
export type Conversion = (text: string) => string | null;

/**
 * What becomes of a column's values on the way into a column of another system. Both are lines of COPY's text format, of which only values
 * change that the systems write otherwise. Pure.
 * @param to the form that is written
 * @returns undefined where they stay as they are
 */
export function conversionOf({ neutral, form: stored }: BackedUpColumn, to: Form): Conversion | undefined {
  const isOfPostgres = stored === undefined;
  switch (to) {
    case "boolean":
      return isOfPostgres ? (text) => (text === "t" ? "1" : "0") : undefined;
    case "decimal":
      return withoutZeros;
    case "float":
      return isOfPostgres && neutral.kind === "float" && neutral.bits === 32 ? asDouble : undefined;
    case "trimmed":
      return (text) => text.replace(/ +$/, "");
    case "text":
      // what a cast shows and the type by itself does not: `copy` and `compare` go by casts
      return isOfPostgres && neutral.kind === "own" && neutral.name === "inet" ? withMask : undefined;
    case "uuid":
      return stored === "bytes" ? hyphened : undefined;
    case "timestamp":
      return isOfPostgres && neutral.kind === "instant" ? withoutZone : undefined;
    case "date-or-null":
    case "timestamp-or-null":
      return (text) => (isNoDay(text) ? null : text);
    case "number":
    case "bytes":
    case "date":
    case "time":
    case "bits":
      return undefined;
    default:
      return to satisfies never;
  }
}

const withoutZeros: Conversion = (text) => (text.includes(".") ? text.replace(/\.?0*$/, "") : text);

const withMask: Conversion = (text) => {
  if (text.includes("/")) return text;
  return text.includes(":") ? `${text}/128` : `${text}/32`;
};

/** Of `\\x` and 32 digits. */
const hyphened: Conversion = (text) =>
  text.replace(/^\\\\x(.{8})(.{4})(.{4})(.{4})(.{12})$/, (_, ...parts: string[]) => parts.slice(0, 5).join("-"));

/** All are in UTC. */
const withoutZone: Conversion = (text) => text.replace(/\+00(?= BC$|$)/, "");
