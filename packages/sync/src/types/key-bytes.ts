import type { NeutralType } from "./neutral.ts";

/** Of an index of InnoDB. */
export const MOST_KEY_BYTES = 3072;

/** Of a character of `utf8mb4`. */
export const CHARACTER_BYTES = 4;

/** How much room a value takes in a key of InnoDB at most; undefined for what has no bound there. Pure. */
export function keyBytes(type: NeutralType): number | undefined {
  switch (type.kind) {
    case "text":
      return type.length === undefined ? undefined : CHARACTER_BYTES * type.length;
    case "bytes":
      return type.length === undefined ? undefined : type.length;
    case "uuid":
      return 36;
    case "decimal":
      return 32;
    case "bits":
      return Math.ceil(type.length / 8);
    case "json":
    case "geometry":
    case "own":
      return undefined;
    case "boolean":
    case "integer":
    case "float":
    case "date":
    case "time":
    case "timestamp":
    case "instant":
    case "year":
    case "enum":
    case "set":
      return 8;
    default:
      return type satisfies never;
  }
}
