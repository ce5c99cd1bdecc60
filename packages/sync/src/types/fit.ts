import type { System } from "../model.ts";
import type { Loss } from "./losses.ts";
import type { Form, NeutralType } from "./neutral.ts";

/** Losses that may be accepted, by name. */
export const lossyRules = {
  "as-text": "a type that the other system does not have travels as its text, and is read from a text",
  "json-normalized": "JSON keeps its meaning, and not the order of its keys, its spaces and its doubled keys",
  "negative-zero": "-0 becomes 0",
  "zero-dates": "what is no day of the calendar, such as 0000-00-00, becomes NULL",
} as const;

export type LossyRule = keyof typeof lossyRules;

/** A column's type, and whose it is. */
export interface Typed {
  readonly system: System;
  readonly type: NeutralType;
}

/** A value that is not to be lost, without its column. */
export type Risk = Loss extends infer Each ? (Each extends Loss ? Omit<Each, "column"> : never) : never;

/** How values of one type come to be values of another: in which form, and which of them the target cannot hold. */
export type Fit =
  | { readonly fits: true; readonly form: Form; readonly risks: readonly Risk[] }
  | { readonly fits: false; readonly reason: string; readonly rule?: LossyRule };

const NUL = "a character NUL, which PostgreSQL does not have in texts";
const FIRST_DAY = "0001-01-01";
const LAST_DAY = "9999-12-31";
/** What `timestamp` of MariaDB and MySQL holds in all versions. */
const FIRST_SECOND = "1970-01-01 00:00:01";
const LAST_SECOND = "2038-01-19 03:14:07";

/** Whether values of the one type can be had as the other, and how. Pure. */
export function fit(from: Typed, to: Typed, lossy: ReadonlySet<LossyRule>): Fit {
  const [one, other] = [from.type, to.type];
  const into = (form: Form, ...risks: readonly (Risk | undefined)[]): Fit => ({
    fits: true,
    form,
    risks: risks.filter((risk) => risk !== undefined),
  });
  const unless = (rule: LossyRule, form: Form, ...risks: readonly (Risk | undefined)[]): Fit =>
    lossy.has(rule) ? into(form, ...risks) : { fits: false, reason: lossyRules[rule], rule };
  const never = (reason = "there is no way to hold the one type's values in the other"): Fit => ({
    fits: false,
    reason,
  });
  const isSame = from.system === to.system;
  const nul = from.system === "mysql" && to.system === "postgres" ? ({ rule: "nul", reason: NUL } as const) : undefined;
  switch (one.kind) {
    case "boolean":
      if (other.kind === "boolean")
        return into("boolean", from.system === "mysql" && !isSame ? numbersFrom("0", "1") : undefined);
      if (other.kind === "integer") return into(from.system === "mysql" ? "number" : "boolean");
      return never();
    case "integer":
      return intoNumber(one, other, into, never);
    case "year":
      if (other.kind === "year" || (other.kind === "integer" && other.bits >= 16)) return into("number");
      return never();
    case "decimal": {
      if (other.kind === "integer") {
        const { min, max } = boundsOf(other);
        const whole = digitsOf(one, { precision: String(max).length, scale: 0 });
        return into("decimal", whole, numbersFrom(String(min), String(max)));
      }
      if (other.kind !== "decimal") return never();
      const isAlike = one.scale === other.scale && one.scale !== undefined;
      const form: Form = isAlike ? "number" : "decimal";
      return into(form, from.system === "postgres" && !isSame ? NOT_FINITE : undefined, digitsOf(one, other));
    }
    case "float": {
      if (other.kind !== "float") return never();
      const isCrossing = from.system === "postgres" && to.system === "mysql";
      return into(
        "float",
        isCrossing ? NOT_FINITE : undefined,
        isCrossing && !lossy.has("negative-zero") ? { rule: "negative-zero", reason: NEGATIVE_ZERO } : undefined,
        one.bits > other.bits ? { rule: "single-precision", reason: "a float of 32 bits has fewer digits" } : undefined,
      );
    }
    case "text":
      if (other.kind === "text") {
        if (other.isFixed && !one.isFixed) return never("a fixed length does not keep the spaces at the end");
        if (!other.isUnicode) return never("the column's character set does not have all characters: use utf8mb4");
        return into(one.isFixed || other.isFixed ? "trimmed" : "text", nul, lengthOf(one, other));
      }
      if (other.kind === "json") return other.isNormalized ? unless("json-normalized", "text", nul) : into("text", nul);
      if (other.kind === "uuid" && (one.length ?? 0) === 36) return into("uuid");
      if (["own", "uuid", "enum", "set"].includes(other.kind)) return unless("as-text", "text", nul);
      return never();
    case "bytes":
      if (other.kind === "bytes") return into("bytes", lengthOf(one, other));
      if (other.kind === "uuid" && one.length === 16) return into("uuid");
      return never();
    case "uuid":
      if (other.kind === "uuid") return into("uuid");
      if (other.kind === "bytes" && other.length === 16) return into("uuid");
      if (other.kind === "text" && holds(other, 36)) return into("uuid");
      return never();
    case "date":
      if (other.kind !== "date") return never();
      return intoDay("date", isSame, from.system, lossy, into);
    case "time":
      if (other.kind !== "time") return never();
      return into(
        "time",
        from.system === "mysql" && !isSame ? { rule: "time-of-day", reason: "no time of a day" } : undefined,
        fractionOf(one, other),
      );
    case "timestamp":
    case "instant": {
      if (other.kind !== "timestamp" && other.kind !== "instant") return never();
      const isShort = other.kind === "instant" && to.system === "mysql";
      const wasShort = one.kind === "instant" && from.system === "mysql";
      const years = isShort && !wasShort ? { rule: "years", reason: SHORT, ...SHORT_YEARS } : undefined;
      return intoDay("timestamp", isSame, from.system, lossy, into, years as Risk | undefined, fractionOf(one, other));
    }
    case "json":
      if (other.kind === "json")
        return !other.isNormalized || (one.isNormalized && isSame) ? into("text") : unless("json-normalized", "text");
      if (other.kind === "text" && other.isUnicode && !other.isFixed) return into("text", lengthOf({}, other));
      return never();
    case "enum":
      if (other.kind === "enum") {
        const isAll = one.labels.every((label) => other.labels.includes(label));
        return into("text", isAll ? undefined : { rule: "label", reason: "no such label", labels: other.labels });
      }
      if (other.kind === "text" && other.isUnicode && !other.isFixed) return into("text", lengthOf({}, other));
      return never();
    case "set":
      if (other.kind === "set" && one.labels.every((label, index) => other.labels[index] === label))
        return into("text");
      if (other.kind === "text" && other.isUnicode && !other.isFixed) return into("text", lengthOf({}, other));
      return never();
    case "bits":
      return other.kind === "bits" && one.length === other.length ? into("bits") : never();
    case "geometry":
      return other.kind === "geometry" ? into("bytes") : never();
    case "own":
      if (other.kind === "own" && isSame && one.name === other.name) return into("text");
      if (other.kind === "text" && other.isUnicode && !other.isFixed)
        return ONE_OF_TEXT.has(one.name)
          ? into("text", lengthOf({}, other))
          : unless("as-text", "text", lengthOf({}, other));
      return never();
    default:
      return one satisfies never;
  }
}

/** PostgreSQL's own types that are small texts by nature. */
const ONE_OF_TEXT: ReadonlySet<string> = new Set([
  ...["interval", "time with time zone", "inet", "cidr", "macaddr", "macaddr8", "inet4", "inet6"],
]);

type Into = (form: Form, ...risks: readonly (Risk | undefined)[]) => Fit;

const NOT_FINITE = { rule: "not-finite", reason: "MariaDB and MySQL have no NaN and no infinity" } as const;
const NEGATIVE_ZERO = 'MariaDB and MySQL make 0 of -0 (lossy: ["negative-zero"] accepts that)';
const SHORT = "`timestamp` holds 1970 to 2038: use datetime(6)";
const SHORT_YEARS = { first: FIRST_SECOND, last: LAST_SECOND };

const numbersFrom = (min: string, max: string): Risk => ({
  rule: "whole-number",
  reason: `only ${min} to ${max} fit`,
  min,
  max,
});

function intoNumber(
  one: Extract<NeutralType, { kind: "integer" }>,
  other: NeutralType,
  into: Into,
  never: () => Fit,
): Fit {
  if (other.kind === "integer") {
    const [here, there] = [boundsOf(one), boundsOf(other)];
    const doesFit = here.min >= there.min && here.max <= there.max;
    return into("number", doesFit ? undefined : numbersFrom(String(there.min), String(there.max)));
  }
  if (other.kind === "year") return into("number", numbersFrom("1901", "2155"));
  if (other.kind !== "decimal") return never();
  if (other.precision === undefined || other.scale === undefined) return into("number");
  const whole = other.precision - other.scale;
  const { max } = boundsOf(one);
  const doesFit = whole >= String(max).length;
  const limit = "9".repeat(Math.max(1, whole));
  return into(other.scale === 0 ? "number" : "decimal", doesFit ? undefined : numbersFrom(`-${limit}`, limit));
}

/** What whole numbers there are. */
function boundsOf({ bits, isUnsigned }: { readonly bits: number; readonly isUnsigned: boolean }): {
  readonly min: bigint;
  readonly max: bigint;
} {
  if (isUnsigned) return { min: 0n, max: 2n ** BigInt(bits) - 1n };
  const half = 2n ** BigInt(bits - 1);
  return { min: -half, max: half - 1n };
}

type Decimal = { readonly precision: number | undefined; readonly scale: number | undefined };

function digitsOf(one: Decimal, { precision, scale }: Decimal): Risk | undefined {
  if (precision === undefined || scale === undefined) return undefined;
  const isBounded = one.precision !== undefined && one.scale !== undefined;
  if (isBounded && one.scale <= scale && one.precision - one.scale <= precision - scale) return undefined;
  return { rule: "digits", reason: `more digits than decimal(${precision},${scale}) has`, precision, scale };
}

type Sized = { readonly length?: number | undefined; readonly bytes?: number | undefined };
/** Of a character in UTF-8. */
const MOST_BYTES = 4;

function lengthOf(one: Sized, { length, bytes }: Sized): Risk | undefined {
  const most = one.bytes ?? (one.length === undefined ? Number.POSITIVE_INFINITY : one.length * MOST_BYTES);
  const isShort = length === undefined || (one.length ?? Number.POSITIVE_INFINITY) <= length;
  const isSmall = bytes === undefined || most <= bytes;
  if (isShort && isSmall) return undefined;
  const words = [length === undefined ? "" : `${length} characters`, bytes === undefined ? "" : `${bytes} bytes`];
  const reason = `longer than ${words.filter((each) => each !== "").join(" or ")}`;
  return { rule: "length", reason, characters: isShort ? undefined : length, bytes: isSmall ? undefined : bytes };
}

/** A text column that has room for so many characters. */
const holds = ({ length, bytes, isFixed }: Extract<NeutralType, { kind: "text" }>, characters: number): boolean =>
  (length === undefined || (isFixed ? length === characters : length >= characters)) &&
  (bytes === undefined || bytes >= characters);

function fractionOf(one: { readonly digits: number }, { digits }: { readonly digits: number }): Risk | undefined {
  if (one.digits <= digits) return undefined;
  return { rule: "fraction", reason: `a fraction of a second with more than ${digits} digits`, digits };
}

function intoDay(
  form: "date" | "timestamp",
  isSame: boolean,
  from: System,
  lossy: ReadonlySet<LossyRule>,
  into: Into,
  ...risks: readonly (Risk | undefined)[]
): Fit {
  if (isSame) return into(form, ...risks);
  if (from === "postgres") {
    const reason = "MariaDB and MySQL have the years 1 to 9999 and no infinity";
    return into(form, { rule: "years", reason, first: FIRST_DAY, last: LAST_DAY }, ...risks);
  }
  if (lossy.has("zero-dates")) return into(`${form}-or-null`, ...risks);
  const reason = 'no day of the calendar (lossy: ["zero-dates"] makes it NULL)';
  return into(form, { rule: "zero-dates", reason }, ...risks);
}
