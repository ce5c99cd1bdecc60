/**
 * What a column can hold, in no system's words. A bound that is undefined is no bound. Sizes of texts are in characters, those of
 * bytes in bytes, `digits` are those of a second's fraction.
 */
export type NeutralType =
  | { readonly kind: "boolean" }
  | { readonly kind: "integer"; readonly bits: 8 | 16 | 24 | 32 | 64; readonly isUnsigned: boolean }
  | { readonly kind: "decimal"; readonly precision: number | undefined; readonly scale: number | undefined }
  | { readonly kind: "float"; readonly bits: 32 | 64 }
  /** `isFixed`: spaces at the end are none of the value. `bytes` bounds its UTF-8 form. */
  | {
      readonly kind: "text";
      readonly length: number | undefined;
      readonly bytes: number | undefined;
      readonly isFixed: boolean;
      /** It takes every character. */
      readonly isUnicode: boolean;
    }
  | { readonly kind: "bytes"; readonly length: number | undefined }
  | { readonly kind: "uuid" }
  | { readonly kind: "date" }
  | { readonly kind: "time"; readonly digits: number }
  | { readonly kind: "timestamp"; readonly digits: number }
  /** A point in time: PostgreSQL's `timestamptz`, the `timestamp` of MariaDB and MySQL. */
  | { readonly kind: "instant"; readonly digits: number }
  | { readonly kind: "year" }
  /** `isNormalized`: the system keeps the value, not the text. */
  | { readonly kind: "json"; readonly isNormalized: boolean }
  | { readonly kind: "enum"; readonly labels: readonly string[] }
  | { readonly kind: "set"; readonly labels: readonly string[] }
  | { readonly kind: "bits"; readonly length: number }
  | { readonly kind: "geometry" }
  /** One that only its own system has, and whose values have texts. */
  | { readonly kind: "own"; readonly name: string };

/**
 * The form in which the values of a column travel between two systems and are compared: the same text on both for equal values.
 *
 * | form | text |
 * |---|---|
 * | `text` | the value itself |
 * | `trimmed` | without spaces at the end |
 * | `number` | as both systems write it |
 * | `decimal` | without zeros at the end |
 * | `boolean` | `1` or `0` |
 * | `float` | one that is read back to the same bits; where it is compared, these |
 * | `bytes` | `\x` and hexadecimal digits |
 * | `uuid` | in lower case, with hyphens |
 * | `date` | `2024-02-29` |
 * | `time`, `timestamp` | `12:34:56.5`, `2024-02-29 12:34:56.5`, in UTC, no zeros at the end of the fraction |
 * | `date-or-null`, `timestamp-or-null` | the same; what is no day of the calendar is NULL |
 * | `bits` | digits `0` and `1` |
 */
export type Form =
  | "text"
  | "trimmed"
  | "number"
  | "decimal"
  | "boolean"
  | "float"
  | "bytes"
  | "uuid"
  | "date"
  | "date-or-null"
  | "time"
  | "timestamp"
  | "timestamp-or-null"
  | "bits";
