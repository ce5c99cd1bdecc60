import { OptionsError } from "@mirrorpool/core";
import type { KeySource } from "./format/key.ts";
import { folderStore } from "./store/folder-store.ts";
import type { Store } from "./store/store.ts";

/** Options of which every job has its own set; checked with path, rule and value. */
export type Given = Readonly<Record<string, unknown>>;

/** @throws {OptionsError} naming the key that nobody knows, and those that are known */
export function checkOptions(options: unknown, known: readonly string[]): Given {
  if (!isObject(options)) throw new OptionsError("options", "an object", show(options));
  for (const key of Object.keys(options))
    if (!known.includes(key)) throw new OptionsError(key, `one of ${known.join(", ")}`, "an unknown option");
  return options;
}

export function checkInteger(path: string, value: unknown, min: number, max: number, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new OptionsError(path, `a whole number from ${min} to ${max}`, show(value));
}

export function checkChoice<const C extends string>(path: string, value: unknown, of: readonly C[], otherwise: C): C {
  if (value === undefined) return otherwise;
  const found = of.find((each) => each === value);
  if (found !== undefined) return found;
  throw new OptionsError(path, `one of ${of.map((each) => JSON.stringify(each)).join(", ")}`, show(value));
}

export function checkChoices<const C extends string>(
  path: string,
  value: unknown,
  of: readonly C[],
): readonly C[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw new OptionsError(path, `a list of ${of.join(", ")}`, show(value));
  return value.map((each, index) => checkChoice(`${path}[${index}]`, each ?? null, of, of[0] as C)); // none is missing
}

export function checkBoolean(path: string, value: unknown, otherwise: boolean): boolean {
  if (value === undefined) return otherwise;
  if (typeof value === "boolean") return value;
  throw new OptionsError(path, "true or false", show(value));
}

export function checkSignal(value: unknown): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value;
  throw new OptionsError("signal", "an AbortSignal", show(value));
}

export function checkListener<T>(path: string, value: unknown): ((event: T) => void) | undefined {
  return checkFunction(path, value);
}

/** What it takes and gives cannot be checked. */
export function checkFunction<F>(path: string, value: unknown): F | undefined {
  if (value === undefined || typeof value === "function") return value as F | undefined;
  throw new OptionsError(path, "a function", show(value));
}

/** A folder's path, or a store. */
export function checkStore(path: string, value: unknown): Store {
  if (typeof value === "string" && value !== "") return folderStore(value);
  if (isObject(value) && ["list", "read", "write", "remove"].every((name) => typeof value[name] === "function"))
    return value as unknown as Store; // its functions were checked
  throw new OptionsError(path, "the path of a folder, or a store", show(value));
}

/** Never shows a passphrase. */
export function checkKeySource(value: unknown): KeySource | undefined {
  if (value === undefined) return undefined;
  const rule = "{ passphrase } or { keyFile }";
  if (!isObject(value)) throw new OptionsError("encryption", rule, `a ${typeof value}`);
  const keys = Object.keys(value);
  const [key] = keys;
  if (keys.length !== 1 || (key !== "passphrase" && key !== "keyFile"))
    throw new OptionsError("encryption", rule, `an object with ${keys.length === 0 ? "nothing" : keys.join(", ")}`);
  const text = value[key];
  if (typeof text !== "string" || text === "")
    throw new OptionsError(`encryption.${key}`, "a text", `a ${typeof text}`);
  return key === "passphrase" ? { passphrase: text } : { keyFile: text };
}

/** Patterns of tables, `schema.table` with `*` for any characters. */
export function checkPatterns(value: unknown): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const isList =
    Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === "string" && each !== "");
  if (isList) return value;
  throw new OptionsError("tables", "a list of names such as public.orders or sales.*", show(value));
}

/** A name that is safe as a folder's. */
export function checkName(path: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "string" && /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(value)) return value;
  throw new OptionsError(path, "letters, digits, dots and hyphens, at most 100", show(value));
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  if (typeof value === "string") return value.length <= 40 ? JSON.stringify(value) : `a string of ${value.length}`;
  if (value === null || ["number", "boolean", "undefined", "bigint"].includes(typeof value)) return String(value);
  return Array.isArray(value) ? "an array" : `a ${typeof value}`;
}
