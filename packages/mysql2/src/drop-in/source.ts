import type { FailoverPool, NodeOptions, PoolInUse, PoolOptions } from "@mirrorpool/core";
import { createPool, OptionsError, optionRules } from "@mirrorpool/core";
import { mysql } from "../driver.ts";
import type { ClientSettings } from "../open.ts";
import { fromText, parseUrl } from "../url.ts";
import {
  ADDRESS_OPTIONS,
  CLIENT_SETTINGS,
  type DropInPoolConfig,
  type Given,
  isFailoverPool,
  type OwnPoolOptions,
  READING_OPTIONS,
  refuseConnectionOptions,
  refuseUnfit,
  WRITING_OPTIONS,
} from "./options.ts";
import type { Source } from "./virtual-session.ts";

/** The failover pool of a whole module; or a function that is asked for it by each new pool and connection. */
export type SharedSource = FailoverPool | (() => FailoverPool);

/**
 * The failover pool that `mysql2`'s options and `mirrorpool` ask for: for adapters of libraries that take `mysql2`'s options.
 * @throws {OptionsError} for what cannot be honoured
 */
export function takeMysqlPool(config: DropInPoolConfig): PoolInUse {
  const { pool, isOwned } = resolveSource(readGiven(config), undefined);
  return { pool, release: async () => (isOwned ? pool.close() : undefined) };
}

/** What an application gives: options, or a URL; what the URL says counts where the options do not say it, as in `mysql2`. */
export function readGiven(config: unknown): Given {
  if (typeof config === "string") return fromUrl(config);
  const given = (config ?? {}) as Given;
  const { uri, ...others } = given;
  if (typeof uri !== "string") return given;
  const said = Object.entries(fromUrl(uri)).filter(([name]) => !others[name]);
  return { ...others, ...Object.fromEntries(said) };
}

function fromUrl(url: string): Given {
  let address: ReturnType<typeof parseUrl>;
  try {
    address = parseUrl(url);
  } catch (error) {
    throw new OptionsError("uri", (error as Error).message, "another text"); // our own words, without any part of the URL
  }
  const { host, port, user, password, database, tls: ssl, parameters = {} } = address;
  const settings = Object.entries(parameters).map(([name, text]) => [name, fromText(text)]);
  return defined({ ...Object.fromEntries(settings), host, port, user, password, database, ssl });
}

/**
 * From the options of a pool or connection, the failover pool behind it.
 * @param sharedSource that of the whole module: what a library says of hosts and logins is not used then
 * @throws {OptionsError} for what cannot be honoured
 */
export function resolveSource(given: Given, sharedSource: SharedSource | undefined): Source {
  refuseUnfit(given);
  const shared = typeof sharedSource === "function" ? sharedSource() : sharedSource;
  const { mirrorpool = shared } = given;
  if (isFailoverPool(mirrorpool)) {
    if (mirrorpool !== shared) {
      const rule = "nothing here: connections are those of the pool given as `mirrorpool`";
      refuseConnectionOptions(given, rule, [...ADDRESS_OPTIONS, ...CLIENT_SETTINGS]);
    }
    return { ...common(given), pool: mirrorpool, isOwned: false, shown: {} };
  }
  if (mirrorpool !== undefined && (typeof mirrorpool !== "object" || mirrorpool === null))
    throw new OptionsError("mirrorpool", "a pool of createPool(), or its options", typeof mirrorpool);
  const options = ownOptions(given, (mirrorpool ?? {}) as OwnPoolOptions);
  return { ...common(given), pool: createPool(options), isOwned: true, shown: shown(options) };
}

/** A connection shows whom it was told to connect to: of several nodes the first. */
function shown({ nodes: [first], driver }: PoolOptions): Given {
  const { url, host, port, user, database } = typeof first === "string" ? { url: first } : (first ?? {});
  const address = url === undefined ? undefined : driver.parseUrl(url);
  return defined({
    host: host ?? address?.host,
    port: port ?? address?.port,
    user: user ?? address?.user,
    database: database ?? address?.database,
  });
}

/** What the options of a pool or connection say of its statements. */
export function common(given: Given): Pick<Source, "consistency" | "connectTimeoutMs" | "reading" | "writes"> {
  return {
    consistency: readConsistency(given["consistency"]),
    connectTimeoutMs: positive(given["connectTimeout"]),
    reading: pick(given, READING_OPTIONS),
    writes: WRITING_OPTIONS.some((name) => given[name] !== undefined),
  };
}

function readConsistency(value: unknown): Source["consistency"] {
  const { of } = optionRules.routing.consistency;
  const known = of.find((each) => each === value);
  if (value === undefined || known !== undefined) return known;
  throw new OptionsError("consistency", of.join(", "), JSON.stringify(value));
}

/** `mysql2` lets a statement take as long as it takes. What ends it is the loss of its node, which the monitor sees. */
const PATIENT_MS = 86_400_000;

/** A pool of its own: `mysql2`'s options say what `mirrorpool` does not. */
function ownOptions(given: Given, { nodes, driver, ...options }: OwnPoolOptions): PoolOptions {
  if (nodes !== undefined) refuseConnectionOptions(given, "nothing here: say it in mirrorpool.nodes", ADDRESS_OPTIONS);
  if (driver !== undefined)
    refuseConnectionOptions(given, "nothing here: say it in the settings of mirrorpool.driver", CLIENT_SETTINGS);
  return {
    ...options,
    driver: driver ?? mysql(pick(given, CLIENT_SETTINGS) as ClientSettings),
    nodes: nodes ?? [nodeOf(given)],
    pool: { ...sizes(given), ...options.pool },
    timeouts: { statementMs: PATIENT_MS, ...timeouts(given), ...options.timeouts },
  };
}

/** The server that `mysql2`'s options name. */
export function nodeOf(given: Given): NodeOptions {
  const { host, port, user, password, password1, database, ssl } = given;
  const number = typeof port === "string" ? Number(port) : port;
  const login = { user, password: password || password1, database, tls: ssl === false ? undefined : ssl };
  return { host: host || "localhost", ...defined({ port: number || undefined, ...login }) } as NodeOptions; // checked by the core
}

/** A pool of so many connections that all run a statement needs as many, wherever these go. */
function sizes({ connectionLimit, idleTimeout }: Given): NonNullable<PoolOptions["pool"]> {
  const idleMs = positive(idleTimeout);
  return defined({ max: positive(connectionLimit), idleMs: idleMs && Math.max(idleMs, optionRules.pool.idleMs.min) });
}

function timeouts({ connectTimeout }: Given): NonNullable<PoolOptions["timeouts"]> {
  return defined({ connectMs: positive(connectTimeout) });
}

function positive(value: unknown): number | undefined {
  const number = typeof value === "string" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) && number > 0 ? number : undefined;
}

function pick(given: Given, names: readonly string[]): Given {
  return defined(Object.fromEntries(names.map((name) => [name, given[name]])));
}

function defined<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
