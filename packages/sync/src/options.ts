import { type FailoverPool, OptionsError } from "@mirrorpool/core";
import type { TableChoice } from "./select.ts";
import { type LossyRule, lossyRules } from "./types/fit.ts";

/** What all jobs take. */
export interface JobOptions {
  /** Where rows come from. */
  readonly from: FailoverPool;
  /** Where they go. */
  readonly to: FailoverPool;
  /** Patterns or names; default: all that the role can see. */
  readonly tables?: readonly TableChoice[];
  /** Left out of `tables`. */
  readonly exclude?: readonly TableChoice[];
  /** Connections to the source, and as many to the target; 1 to 64, default 2. */
  readonly connections?: number;
  /** Losses that are accepted, by name: see {@link lossyRules}. Default: none, and what would be lost is refused. */
  readonly lossy?: readonly LossyRule[];
  /** Ends the job; it rejects with the signal's reason. What was done stays done. */
  readonly signal?: AbortSignal;
}

/** Bounds of all numbers, and what they are where nothing is said. */
export const numberRules = {
  connections: { min: 1, max: 64, default: 2 },
  chunkBytes: { min: 65_536, max: 1_099_511_627_776, default: 67_108_864 },
  stallMs: { min: 1000, max: 86_400_000, default: 300_000 },
  attempts: { min: 1, max: 1000, default: 20 },
  maxDifferences: { min: 1, max: 1_000_000, default: 10_000 },
  recheckMs: { min: 0, max: 3_600_000, default: 1000 },
  rechecks: { min: 0, max: 100, default: 3 },
  batchRows: { min: 1, max: 10_000, default: 500 },
  batchChanges: { min: 1, max: 100_000, default: 2000 },
  maxBatchBytes: { min: 65_536, max: 1_073_741_824, default: 16_777_216 },
} as const;

type NumberName = keyof typeof numberRules;

/** The numbers of a job's options, checked and complete. @throws {OptionsError} */
export function checkNumbers<const N extends NumberName>(
  options: Readonly<Record<string, unknown>>,
  names: readonly N[],
): Readonly<Record<N, number>> {
  const checked = names.map((name) => {
    const { min, max, default: usual } = numberRules[name];
    const value = options[name] ?? usual;
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return [name, value];
    throw new OptionsError(name, `a whole number from ${min} to ${max}`, show(value));
  });
  return Object.freeze(Object.fromEntries(checked)) as Readonly<Record<N, number>>; // one for each name
}

/** Checks what all jobs take, and that there is nothing else. @throws {OptionsError} */
export function checkOptions(options: unknown, known: readonly string[]): asserts options is JobOptions {
  if (!isObject(options)) throw new OptionsError("options", "an object", show(options));
  const names = ["from", "to", "tables", "exclude", "connections", "lossy", "signal", ...known];
  for (const key of Object.keys(options))
    if (!names.includes(key)) throw new OptionsError(key, `one of ${names.join(", ")}`, "an unknown option");
  for (const side of ["from", "to"] as const) {
    const pool = options[side];
    if (!isObject(pool) || typeof pool["reserve"] !== "function")
      throw new OptionsError(side, "a pool of createPool()", `a ${typeof pool}`); // perhaps a URL
  }
  checkChoices("tables", options["tables"]);
  checkChoices("exclude", options["exclude"]);
  checkLossy(options["lossy"]);
  const { signal } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new OptionsError("signal", "an AbortSignal", show(signal));
}

function checkLossy(value: unknown): void {
  if (value === undefined) return;
  const known = Object.keys(lossyRules);
  if (!Array.isArray(value)) throw new OptionsError("lossy", `a list of ${known.join(", ")}`, show(value));
  value.forEach((rule: unknown, index) => {
    if (typeof rule !== "string" || !known.includes(rule))
      throw new OptionsError(`lossy[${index}]`, `one of ${known.join(", ")}`, show(rule));
  });
}

function checkChoices(path: string, value: unknown): void {
  if (value === undefined) return;
  if (!Array.isArray(value) || value.length === 0)
    throw new OptionsError(path, "a list of patterns or names", show(value));
  value.forEach((choice: unknown, index) => {
    const isNamed = isObject(choice) && typeof choice["name"] === "string";
    if (typeof choice !== "string" && !isNamed)
      throw new OptionsError(`${path}[${index}]`, "a pattern, or an object with `name`", show(choice));
  });
}

/** @throws {OptionsError} */
export function checkJobName(value: unknown, usual: string): string {
  const name = value ?? usual;
  if (typeof name === "string" && name.length >= 1 && name.length <= 200) return name;
  throw new OptionsError("job", "a name of 1 to 200 characters", show(name));
}

/** @throws {OptionsError} */
export function checkChoice<const C extends string>(path: string, value: unknown, choices: readonly C[]): C {
  const given = value ?? choices[0];
  const found = choices.find((choice) => choice === given);
  if (found !== undefined) return found;
  throw new OptionsError(path, `one of ${choices.map((each) => JSON.stringify(each)).join(", ")}`, show(given));
}

/** @throws {OptionsError} */
export function checkFlag(path: string, value: unknown): boolean {
  if (value === undefined || typeof value === "boolean") return value === true;
  throw new OptionsError(path, "true or false", show(value));
}

/** @throws {OptionsError} */
export function checkListener(path: string, value: unknown): void {
  if (value !== undefined && typeof value !== "function") throw new OptionsError(path, "a function", show(value));
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Never a password: short scalars, and everything else by its type. */
function show(value: unknown): string {
  if (typeof value === "string") return value.length <= 40 ? JSON.stringify(value) : `a string of ${value.length}`;
  if (value === null || ["number", "boolean", "undefined", "bigint"].includes(typeof value)) return String(value);
  return Array.isArray(value) ? `an array of ${value.length}` : `a ${typeof value}`;
}
