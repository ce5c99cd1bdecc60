import { OptionsError } from "../errors.ts";
import { redactUrl } from "./secret.ts";

/** How one option is checked. The same table makes the frozen configuration and is compared with the documentation. */
type Rule =
  | { readonly type: "integer"; readonly min: number; readonly max: number; readonly default: number }
  | { readonly type: "number"; readonly min: number; readonly max: number; readonly default: number }
  | { readonly type: "choice"; readonly of: readonly string[]; readonly default: string }
  | { readonly type: "boolean"; readonly default: boolean };

export type Rules = Readonly<Record<string, Rule>>;

type Value<R extends Rule> = R extends { type: "choice"; of: readonly (infer C)[] }
  ? C
  : R extends { type: "boolean" }
    ? boolean
    : number;

export type Checked<R extends Rules> = { readonly [K in keyof R]: Value<R[K]> };

/** Never a password: only short scalars are shown, URLs without what may be one, everything else by its type. */
export function showValue(value: unknown): string {
  if (typeof value === "string")
    return value.length <= 40 ? JSON.stringify(redactUrl(value)) : `a string of ${value.length}`;
  if (value === null || ["number", "boolean", "undefined", "bigint"].includes(typeof value)) return String(value);
  return Array.isArray(value) ? "an array" : `a ${typeof value}`;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @throws {OptionsError} naming the key that nobody knows, and those that are known. */
export function checkKeys(path: string, value: Record<string, unknown>, known: readonly string[]): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    throw new OptionsError(path === "" ? key : `${path}.${key}`, `one of ${known.join(", ")}`, "an unknown option");
  }
}

/** Checks a group of options against its rules and fills the defaults in. @throws {OptionsError} */
export function checkGroup<const R extends Rules>(path: string, value: unknown, rules: R): Checked<R> {
  if (value !== undefined && !isObject(value)) throw new OptionsError(path, "an object", showValue(value));
  const given = value ?? {};
  checkKeys(path, given, Object.keys(rules));
  const checked = Object.entries(rules).map(([key, rule]) => [key, checkValue(`${path}.${key}`, given[key], rule)]);
  return Object.freeze(Object.fromEntries(checked)) as Checked<R>; // each value was checked against its own rule
}

function checkValue(path: string, value: unknown, rule: Rule): unknown {
  if (value === undefined) return rule.default;
  switch (rule.type) {
    case "integer":
    case "number": {
      const isWhole = rule.type === "integer";
      const isFit = typeof value === "number" && value >= rule.min && value <= rule.max;
      if (isFit && (!isWhole || Number.isInteger(value))) return value;
      throw new OptionsError(
        path,
        `${isWhole ? "a whole number" : "a number"} from ${rule.min} to ${rule.max}`,
        showValue(value),
      );
    }
    case "choice":
      if (typeof value === "string" && rule.of.includes(value)) return value;
      throw new OptionsError(
        path,
        `one of ${rule.of.map((each) => JSON.stringify(each)).join(", ")}`,
        showValue(value),
      );
    case "boolean":
      if (typeof value === "boolean") return value;
      throw new OptionsError(path, "true or false", showValue(value));
    default:
      return rule satisfies never;
  }
}
