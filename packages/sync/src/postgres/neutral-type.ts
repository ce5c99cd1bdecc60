import type { NeutralType } from "../types/neutral.ts";

/** What of a column tells its neutral type. */
export interface PostgresType {
  /** `typtype` of the base type. */
  readonly kind: string;
  /** Of the base type: a domain is what it is made of. */
  readonly oid: number;
  readonly modifier: number;
  /** As the server writes it, of a type that nobody else has. */
  readonly base: string;
  /** In their order, where it is an enum. */
  readonly labels: readonly string[] | null;
}

/** Fractions of seconds have six digits where nothing else is said. */
const MOST_DIGITS = 6;
/** The modifier of a type with a length counts four more. */
const HEADER = 4;

/** Pure. */
export function neutralType({ kind, oid, modifier, base, labels }: PostgresType): NeutralType {
  const length = modifier >= HEADER ? modifier - HEADER : undefined;
  const digits = modifier >= 0 ? modifier : MOST_DIGITS;
  if (kind === "e") return { kind: "enum", labels: labels ?? [] };
  switch (oid) {
    case 16:
      return { kind: "boolean" };
    case 21:
      return { kind: "integer", bits: 16, isUnsigned: false };
    case 23:
      return { kind: "integer", bits: 32, isUnsigned: false };
    case 20:
      return { kind: "integer", bits: 64, isUnsigned: false };
    case 26:
      return { kind: "integer", bits: 32, isUnsigned: true };
    case 1700:
      return { kind: "decimal", ...digitsOf(length) };
    case 700:
      return { kind: "float", bits: 32 };
    case 701:
      return { kind: "float", bits: 64 };
    case 25:
      return text(undefined, false);
    case 1043:
      return text(length, false);
    case 1042:
      return text(length, length !== undefined);
    case 17:
      return { kind: "bytes", length: undefined };
    case 2950:
      return { kind: "uuid" };
    case 1082:
      return { kind: "date" };
    case 1083:
      return { kind: "time", digits };
    case 1114:
      return { kind: "timestamp", digits };
    case 1184:
      return { kind: "instant", digits };
    case 114:
      return { kind: "json", isNormalized: false };
    case 3802:
      return { kind: "json", isNormalized: true };
    case 1560:
      return { kind: "bits", length: Math.max(1, modifier) };
    default:
      return { kind: "own", name: base };
  }
}

const text = (length: number | undefined, isFixed: boolean): NeutralType => ({
  kind: "text",
  length,
  bytes: undefined,
  isFixed,
  isUnicode: true,
});

/** Precision in the upper half; the scale in eleven bits, which may be below zero (`numeric_in.c`). */
function digitsOf(modifier: number | undefined): { precision: number | undefined; scale: number | undefined } {
  if (modifier === undefined) return { precision: undefined, scale: undefined };
  const scale = ((modifier & 0x7ff) ^ 1024) - 1024;
  const precision = (modifier >> 16) & 0xffff;
  // a scale below zero, or above the precision, is a numeric of whole digits with zeros
  return scale < 0 ? { precision: precision - scale, scale: 0 } : { precision: Math.max(precision, scale), scale };
}
