import type { Driver, LedgerStatements, NodeAddress } from "../driver.ts";
import { OptionsError } from "../errors.ts";
import type { NodeId } from "../topology/node.ts";
import type { Durability, NodeOptions, Password, PoolOptions } from "./options.ts";
import { optionRules } from "./options.ts";
import type { Checked } from "./rules.ts";
import { checkGroup, checkKeys, isObject, showValue } from "./rules.ts";
import { redactUrl, Secret } from "./secret.ts";

/** One node as the pool uses it. */
export interface NodeConfig {
  readonly id: NodeId;
  readonly host: string;
  readonly port: number;
  readonly database: string | undefined;
  readonly user: string | undefined;
  readonly password: Secret | (() => string | Promise<string>) | undefined;
  readonly tls: unknown;
  readonly parameters: Readonly<Record<string, string>>;
  readonly weight: number;
}

type Groups = { readonly [G in keyof typeof optionRules]: Checked<(typeof optionRules)[G]> };

/** The commit ledger as the pool uses it. */
interface ExactlyOnceConfig {
  readonly table: string;
  readonly retentionMs: number;
  readonly statements: LedgerStatements;
}

/** What users wrote, checked and complete. Frozen. */
export interface Config extends Groups {
  readonly driver: Driver;
  readonly nodes: readonly NodeConfig[];
  /** No node has a weight other than the others. */
  readonly hasEvenWeights: boolean;
  readonly applicationName: string;
  /** Undefined: off. */
  readonly exactlyOnce: ExactlyOnceConfig | undefined;
  readonly durability: Durability;
  readonly retryOnConflict: number;
}

const GROUPS = Object.keys(optionRules) as (keyof typeof optionRules)[];
const NODE_KEYS = ["name", "url", "host", "port", "database", "user", "password", "tls", "weight"];
const MAX_NODES = 100;
const DRIVER_FUNCTIONS = ["connect", "probe", "classify", "inspect", "parseUrl"] as const;

/** Checks all options once, at the edge. @throws {OptionsError} with path, rule and value */
export function resolveConfig(options: PoolOptions): Config {
  if (!isObject(options)) throw new OptionsError("options", "an object", showValue(options));
  checkKeys("", options, [
    "driver",
    "nodes",
    "applicationName",
    "exactlyOnce",
    "retryOnConflict",
    "durability",
    ...GROUPS,
  ]);
  const { driver, nodes, applicationName = "mirrorpool" } = options;
  if (!isDriver(driver))
    throw new OptionsError("driver", "a driver, such as postgres() of @mirrorpool/pg", showValue(driver));
  if (typeof applicationName !== "string")
    throw new OptionsError("applicationName", "a string", showValue(applicationName));
  const groups = Object.fromEntries(
    GROUPS.map((group) => [group, checkGroup(group, options[group], optionRules[group])]),
  );
  const resolved = resolveNodes(nodes, driver);
  const config = {
    ...(groups as Groups), // keys of GROUPS
    driver,
    applicationName,
    nodes: resolved,
    hasEvenWeights: resolved.every(({ weight }) => weight === resolved[0]?.weight),
    exactlyOnce: resolveExactlyOnce(options.exactlyOnce, driver),
    durability: resolveDurability(options.durability),
    retryOnConflict: resolveRetryOnConflict(options.retryOnConflict),
  };
  checkTogether(config);
  return Object.freeze(config);
}

const RETENTION = { retentionMs: { type: "integer", min: 60_000, max: 2_592_000_000, default: 3_600_000 } } as const;
/** The ledger where no other one is named. */
export const LEDGER_TABLE = "mirrorpool_ledger";

function resolveExactlyOnce(value: unknown, driver: Driver): ExactlyOnceConfig | undefined {
  if (value === undefined || value === false) return undefined;
  if (value !== true && !isObject(value))
    throw new OptionsError("exactlyOnce", "true, false or an object", showValue(value));
  const { table = LEDGER_TABLE, ...others } = value === true ? {} : value;
  if (typeof table !== "string" || !/^[^.]+(\.[^.]+)?$/.test(table)) {
    throw new OptionsError("exactlyOnce.table", "`table` or `schema.table`", showValue(table));
  }
  const { ledger: statements } = driver;
  if (statements === undefined) throw new OptionsError("exactlyOnce", "a driver that has a commit ledger", driver.name);
  return Object.freeze({ table, statements, ...checkGroup("exactlyOnce", others, RETENTION) });
}

function resolveDurability(value: unknown = "primary"): Durability {
  if (value === "primary" || value === "mirrored") return value;
  throw new OptionsError("durability", '"primary" or "mirrored"', showValue(value));
}

const MAX_CONFLICTS = 100;

function resolveRetryOnConflict(value: unknown = 0): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_CONFLICTS) return value;
  throw new OptionsError("retryOnConflict", `a whole number from 0 to ${MAX_CONFLICTS}`, showValue(value));
}

function isDriver(value: unknown): value is Driver {
  return isObject(value) && DRIVER_FUNCTIONS.every((name) => typeof value[name] === "function");
}

function checkTogether({ pool, durability, nodes }: Config): void {
  if (pool.min > pool.max) throw new OptionsError("pool.min", `at most pool.max (${pool.max})`, String(pool.min));
  if (durability === "mirrored" && nodes.length < 2)
    throw new OptionsError("durability", "at least two nodes for a write to be mirrored", durability);
}

function resolveNodes(nodes: unknown, driver: Driver): readonly NodeConfig[] {
  if (!Array.isArray(nodes) || nodes.length < 1 || nodes.length > MAX_NODES) {
    const shown = Array.isArray(nodes) ? `${nodes.length}` : showValue(nodes);
    throw new OptionsError("nodes", `1 to ${MAX_NODES} URLs or objects`, shown);
  }
  const resolved = nodes.map((node: unknown, index) => resolveNode(`nodes[${index}]`, node, driver));
  const seen = new Set<string>();
  resolved.forEach(({ id }, index) => {
    if (seen.has(id))
      throw new OptionsError(`nodes[${index}]`, "a node that is not in the list yet", JSON.stringify(id));
    seen.add(id);
  });
  return Object.freeze(resolved);
}

function resolveNode(path: string, node: unknown, driver: Driver): NodeConfig {
  const options: Record<string, unknown> = typeof node === "string" ? { url: node } : isObject(node) ? node : {};
  if (typeof node !== "string" && !isObject(node)) throw new OptionsError(path, "a URL or an object", showValue(node));
  checkKeys(path, options, NODE_KEYS);
  const given = checkNodeTypes(path, options);
  const fromUrl =
    given.url === undefined ? undefined : parse(typeof node === "string" ? path : `${path}.url`, given.url, driver);
  const host = given.host ?? fromUrl?.host;
  if (host === undefined || host === "")
    throw new OptionsError(`${path}.host`, "a host name or address", showValue(host));
  const port = given.port ?? fromUrl?.port ?? driver.defaultPort;
  const password = given.password ?? fromUrl?.password;
  return Object.freeze({
    id: given.name ?? `${host}:${port}`,
    host,
    port,
    database: given.database ?? fromUrl?.database,
    user: given.user ?? fromUrl?.user,
    password: typeof password === "string" ? new Secret(password) : password,
    tls: given.tls ?? fromUrl?.tls,
    parameters: Object.freeze({ ...fromUrl?.parameters }),
    weight: given.weight ?? 1,
  });
}

function checkNodeTypes(path: string, options: Record<string, unknown>): NodeOptions {
  for (const key of ["name", "url", "host", "database", "user"]) {
    const value = options[key];
    if (value !== undefined && typeof value !== "string")
      throw new OptionsError(`${path}.${key}`, "a string", showValue(value));
  }
  const { port, weight, password } = options;
  if (port !== undefined && !(Number.isInteger(port) && Number(port) >= 1 && Number(port) <= 65_535)) {
    throw new OptionsError(`${path}.port`, "1 to 65535", showValue(port));
  }
  if (weight !== undefined && !(typeof weight === "number" && weight >= 0 && weight <= 1000)) {
    throw new OptionsError(`${path}.weight`, "a number from 0 to 1000", showValue(weight));
  }
  if (password !== undefined && !isPassword(password)) {
    throw new OptionsError(`${path}.password`, "a string or a function that returns one", `a ${typeof password}`);
  }
  return options as NodeOptions; // every key was checked above; `tls` is the database library's own
}

const isPassword = (value: unknown): value is Password => typeof value === "string" || typeof value === "function";

function parse(path: string, url: string, driver: Driver): NodeAddress {
  try {
    return driver.parseUrl(url);
  } catch (error) {
    const rule = error instanceof Error ? error.message : "a URL";
    throw new OptionsError(path, rule, JSON.stringify(redactUrl(url)));
  }
}
