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
  const ownValues = typeof values === "function" ? undefined : values;
  const last = callback ?? (typeof values === "function" ? values : undefined);
  if (typeof given === "string") {
    return { statement: toStatement(given, ownValues), callback: checkCallback(last), timeoutMs: undefined };
  }
  const config = given as Config;
  const { query_timeout: timeout } = config;
  return {
    statement: readConfig(config, ownValues ?? config["values"]),
    callback: checkCallback(last ?? config["callback"]),
    timeoutMs: typeof timeout === "number" && timeout > 0 ? timeout : undefined,
  };
}

function checkCallback(given: unknown): Callback | undefined {
  if (given === undefined || given === null) return undefined;
  if (typeof given !== "function") throw new TypeError("callback is not a function");
  return given as Callback;
}

type Own = { -readonly [K in keyof Statement]: Statement[K] };

/** @param values checked by the connection */
function toStatement(text: string, values: unknown): Own {
  return values === undefined || values === null ? { text } : { text, values: values as unknown[] };
}

function readConfig(config: Config, values: unknown): Statement {
  const { text } = config;
  const statement = toStatement(text as string, values); // checked by the client
  if (typeof text === "string" && Object.keys(config).length === 1) return statement;
  for (const field of FIELDS) if (config[field] !== undefined) statement[field] = config[field];
  return statement;
}
