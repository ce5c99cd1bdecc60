import type { FailoverPool, NodeOptions, Password, PoolInUse, PoolOptions } from "@mirrorpool/core";
import { createPool, OptionsError, optionRules } from "@mirrorpool/core";
import pg from "pg";
import { parse } from "pg-connection-string";
import { type ClientSettings, postgres } from "../driver.ts";
import { splitHosts, splitUrl } from "./hosts.ts";
import {
  ADDRESS_OPTIONS,
  CLIENT_SETTINGS,
  type DropInPoolConfig,
  type Given,
  isFailoverPool,
  type MirrorpoolOption,
  type OwnPoolOptions,
  refuseConnectionOptions,
  refuseUnfit,
} from "./options.ts";
import type { Source } from "./virtual-client.ts";

/** The failover pool of a whole module; or a function that is asked for it by each new `Pool` and `Client`. */
export type SharedSource = FailoverPool | (() => FailoverPool);

/**
 * The failover pool that `pg`'s options and `mirrorpool` ask for: for adapters of libraries that take `pg`'s options.
 * @throws {OptionsError} for what cannot be honoured
 */
export function takePgPool(config: DropInPoolConfig): PoolInUse {
  const { pool, isOwned } = resolveSource(config as Given, undefined);
  return { pool, release: async () => (isOwned ? pool.close() : undefined) };
}

/**
 * From the options of a `Pool` or `Client`, the failover pool behind it.
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
      refuseConnectionOptions(given, rule, [...ADDRESS_OPTIONS, ...CLIENT_SETTINGS, "application_name"]);
    }
    return { ...common(given), pool: mirrorpool, isOwned: false, shown: withoutList(given) };
  }
  if (mirrorpool !== undefined && (typeof mirrorpool !== "object" || mirrorpool === null))
    throw new OptionsError("mirrorpool", "a pool of createPool(), or its options", typeof mirrorpool);
  return ownSource(given, (mirrorpool ?? {}) as Exclude<MirrorpoolOption, FailoverPool>);
}

/** A client shows what it was told; of a list of hosts `pg` itself can make nothing. */
function withoutList(given: Given): pg.ClientConfig {
  const { connectionString, ...others } = given;
  const isList = typeof connectionString === "string" && splitUrl(connectionString) !== undefined;
  return (isList ? others : given) as pg.ClientConfig;
}

function common(given: Given): Pick<Source, "consistency" | "queryTimeoutMs" | "connectTimeoutMs" | "binary"> {
  return {
    consistency: readConsistency(given["consistency"]),
    queryTimeoutMs: positive(given["query_timeout"]),
    connectTimeoutMs: positive(given["connectionTimeoutMillis"]),
    binary: given["binary"] === true,
  };
}

/** `pg` lets a statement take as long as it takes. What ends it is the loss of its node, which the monitor sees. */
const PATIENT_MS = 86_400_000;

function readConsistency(value: unknown): Source["consistency"] {
  const { of } = optionRules.routing.consistency;
  const known = of.find((each) => each === value);
  if (value === undefined || known !== undefined) return known;
  throw new OptionsError("consistency", of.join(", "), JSON.stringify(value));
}

/** A pool of its own: `pg`'s options say what `mirrorpool` does not. */
function ownSource(given: Given, { nodes, driver, ...options }: OwnPoolOptions): Source {
  const { config, hosts } = readConnection(given);
  if (nodes !== undefined) {
    refuseConnectionOptions(given, "nothing here: say it in mirrorpool.nodes", ADDRESS_OPTIONS);
  }
  if (driver !== undefined) {
    refuseConnectionOptions(config, "nothing here: say it in the settings of mirrorpool.driver", CLIENT_SETTINGS);
  }
  const [first] = hosts;
  const pool = createPool({
    ...options,
    driver: driver ?? postgres(settingsOf(config)),
    nodes: nodes ?? hosts.map(({ host, port }) => nodeOf(host, port, config)),
    ...applicationName(config, options),
    pool: { ...sizes(given), ...options.pool },
    timeouts: { statementMs: PATIENT_MS, ...timeouts(given), ...options.timeouts },
    routing: { ...targetSession(config["target_session_attrs"]), ...options.routing },
  });
  const { user, password, database, ssl } = config;
  const shown = { user, password, database, ssl, ...(nodes === undefined ? first : {}) };
  return { ...common({ ...config, ...given }), pool, isOwned: true, shown: shown as pg.ClientConfig };
}

/** What the connection string says goes before the other options, as in `pg`; what neither says, the environment does. */
function readConnection(given: Given): {
  readonly config: Given;
  readonly hosts: readonly { readonly host: string; readonly port: number | undefined }[];
} {
  const { connectionString } = given;
  if (typeof connectionString !== "string" || connectionString === "") return { config: given, hosts: hostsOf(given) };
  const list = splitUrl(connectionString);
  const config = { ...given, ...parsed(list?.first ?? connectionString) };
  return { config, hosts: list?.hosts ?? hostsOf(config) };
}

function parsed(url: string): Given {
  try {
    return Object.fromEntries(Object.entries(parse(url)).filter(([, value]) => value !== null && value !== ""));
  } catch {
    // the parser's message may quote the URL, and with it the password
    throw new OptionsError("connectionString", "a PostgreSQL URL, user and password percent-encoded", "another text");
  }
}

function hostsOf(config: Given): ReturnType<typeof splitHosts> {
  const host = config["host"] ?? process.env["PGHOST"] ?? pg.defaults.host ?? "localhost";
  const port = config["port"] ?? process.env["PGPORT"] ?? pg.defaults.port ?? "";
  return splitHosts(String(host), String(port));
}

/** What is undefined `pg` finds out itself: from the environment, its defaults, the password file. */
function nodeOf(host: string, port: number | undefined, { user, password, database, ssl }: Given): NodeOptions {
  const options = { port, user, password: password as Password | undefined, database, tls: ssl };
  return { host, ...defined(options) } as NodeOptions; // each checked by the core
}

const settingsOf = (config: Given): ClientSettings =>
  defined(Object.fromEntries(CLIENT_SETTINGS.map((name) => [name, config[name]])));

function applicationName(config: Given, options: OwnPoolOptions): Pick<PoolOptions, "applicationName"> {
  const name =
    options.applicationName ??
    config["application_name"] ??
    process.env["PGAPPNAME"] ??
    config["fallback_application_name"];
  return typeof name === "string" && name !== "" ? { applicationName: name } : {};
}

/** A pool of `max` clients that all run a statement needs as many connections, wherever these go. */
function sizes({ max, min, maxLifetimeSeconds }: Given): PoolOptions["pool"] {
  const lifetime = positive(maxLifetimeSeconds);
  return defined({
    max: positive(max),
    min: positive(min),
    lifetimeMs: lifetime === undefined ? undefined : lifetime * 1000,
  });
}

function timeouts({ connectionTimeoutMillis }: Given): PoolOptions["timeouts"] {
  const acquireMs = positive(connectionTimeoutMillis);
  return defined({ acquireMs });
}

/** libpq's way to choose a node of a list. */
function targetSession(value: unknown): PoolOptions["routing"] {
  switch (value) {
    case undefined:
    case "any":
    case "prefer-standby":
      return {};
    case "read-write":
    case "primary":
      return { readFrom: "primary" };
    default:
      throw new OptionsError("target_session_attrs", "any, prefer-standby, read-write or primary", "another value");
  }
}

const positive = (value: unknown): number | undefined => {
  const number = typeof value === "string" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) && number > 0 ? number : undefined;
};

function defined<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
