import type { Statement } from "@mirrorpool/core";

export type Callback = (error: unknown, result?: unknown) => void;

/** A query as `pg` takes it: text or a config object, then values, then a callback, all but the first optional. */
export interface Request {
  readonly statement: Statement;
  readonly callback: Callback | undefined;
  /** Of the config object. */
  readonly timeoutMs: number | undefined;
}

/** What a config object may say that `pg`'s query reads. `text` and `values` may be getters of a class of the application. */
const FIELDS = ["name", "rowMode", "types", "rows", "portal", "binary", "queryMode"] as const;

type Config = { readonly [field: string]: unknown };

/** @throws {TypeError} as `pg` does */
export function readRequest(given: unknown, values: unknown, callback: unknown): Request {
  const config: Config = typeof given === "string" ? { text: given } : (given as Config);
  const ownValues = typeof values === "function" ? undefined : values;
  const last = callback ?? (typeof values === "function" ? values : config["callback"]);
  if (last !== undefined && last !== null && typeof last !== "function")
    throw new TypeError("callback is not a function");
  const { query_timeout: timeout } = config;
  return {
    statement: readStatement(config, ownValues ?? config["values"]),
    callback: (last as Callback | null | undefined) ?? undefined,
    timeoutMs: typeof timeout === "number" && timeout > 0 ? timeout : undefined,
  };
}

function readStatement(config: Config, values: unknown): Statement {
  const { text } = config;
  const statement: { -readonly [K in keyof Statement]: Statement[K] } = { text: text as string }; // checked by the client
  if (values !== undefined && values !== null) statement.values = values as unknown[]; // checked by the connection
  if (typeof text === "string" && Object.keys(config).length === 1) return statement;
  for (const field of FIELDS) if (config[field] !== undefined) statement[field] = config[field];
  return statement;
}
