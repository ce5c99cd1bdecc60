import type { Loss, NeutralType } from "@mirrorpool/sync/for-other-jobs";
import { isNoDay } from "./calendar.ts";

const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

/** A value of COPY's text format as it is. Pure. */
export const unescaped = (text: string): string =>
  text.includes("\\") ? text.replaceAll(/\\(.)/gs, (_, letter: string) => ESCAPES[letter] ?? letter) : text;

/**
 * Whether another system cannot hold a value: what sync's dialects ask their servers, for the values of a chunk. Pure.
 * @param text as it stands in the chunk, and not NULL
 */
export function isLost(loss: Loss, kind: NeutralType["kind"], text: string): boolean {
  switch (loss.rule) {
    case "whole-number":
      return !isBetween(text, BigInt(loss.min), BigInt(loss.max));
    case "digits": {
      const [, whole = "", part = ""] = DECIMAL.exec(text) ?? [];
      return (
        part.replace(/0+$/, "").length > loss.scale || whole.replace(/^0+/, "").length > loss.precision - loss.scale
      );
    }
    case "not-finite":
      return text === "NaN" || text === "Infinity" || text === "-Infinity";
    case "negative-zero":
      return /^-0(\.0*)?$/.test(text);
    case "single-precision": {
      const read = Number(text);
      return Number.isFinite(read) && Math.fround(read) !== read;
    }
    case "length":
      return isTooLong(kind, text, loss);
    case "nul":
      return text.includes("\0");
    case "years": {
      if (!/^\d{4}-/.test(text) || text.endsWith(" BC")) return true;
      return text < loss.first || text.slice(0, loss.last.length) > loss.last;
    }
    case "fraction":
      return (/\.(\d*?)0*(?:[+-]|$)/.exec(text)?.[1] ?? "").length > loss.digits;
    case "label":
      return !loss.labels.includes(unescaped(text));
    case "zero-dates":
      return isNoDay(text);
    case "time-of-day":
      return !/^(?:[01]\d|2[0-3]):|^24:00:00(?:\.0*)?$/.test(text);
    default:
      return loss satisfies never;
  }
}

const DECIMAL = /^-?(\d+)(?:\.(\d*))?$/;

/** What is no number at all is not between. */
function isBetween(text: string, min: bigint, max: bigint): boolean {
  const [, whole, part = ""] = DECIMAL.exec(text) ?? [];
  if (whole === undefined) return false;
  const hasMore = /[1-9]/.test(part);
  const size = BigInt(whole);
  const value = text.startsWith("-") ? -size : size;
  if (value < min || value > max) return false;
  return !hasMore || (text.startsWith("-") ? value > min : value < max);
}

type Bounds = { readonly characters: number | undefined; readonly bytes: number | undefined };

function isTooLong(kind: NeutralType["kind"], text: string, { characters, bytes }: Bounds): boolean {
  // bytes have two digits each, after the three characters that they begin with
  const value = kind === "bytes" ? undefined : unescaped(text);
  const size = value === undefined ? (text.length - 3) / 2 : undefined;
  if (characters !== undefined && (size ?? charactersOf(value ?? "")) > characters) return true;
  return bytes !== undefined && (size ?? Buffer.byteLength(value ?? "")) > bytes;
}

/** Not those of a string, some of which are two. */
const charactersOf = (text: string): number => text.length - (text.match(/[\u{10000}-\u{10ffff}]/gu)?.length ?? 0);
