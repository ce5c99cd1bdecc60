import type { Driver, FailoverPool, PoolOptions, StatementOptions } from "@mirrorpool/core";
import { OptionsError } from "@mirrorpool/core";
import type mysql from "mysql2";
import type { ClientSettings } from "../open.ts";

/** What `createPool` of `@mirrorpool/core` takes. */
export type OwnPoolOptions = Omit<PoolOptions, "driver" | "nodes"> & {
  /** Default: `mysql()`, with the settings of connections that `mysql2`'s own options name. */
  readonly driver?: Driver;
  /** Default: the one node that `mysql2`'s own options name. */
  readonly nodes?: PoolOptions["nodes"];
};

/** The failover pool to use, which is not closed by `end()`; or the options of one that is made and closed with this. */
export type MirrorpoolOption = FailoverPool | OwnPoolOptions;

/** What there is beside `mysql2`'s options. */
export interface MirroredConfig {
  readonly mirrorpool?: MirrorpoolOption;
  /** How fresh the reads have to be; with `strong` the primary answers them all. Default: as the failover pool says. */
  readonly consistency?: NonNullable<StatementOptions["consistency"]>;
}

/** `mysql2`'s options, and some more. */
export interface DropInConnectionConfig extends mysql.ConnectionOptions, MirroredConfig {}

/** `mysql2`'s options, and some more. */
export interface DropInPoolConfig extends mysql.PoolOptions, MirroredConfig {}

/** `mysql2`'s options, and some more. */
export interface DropInClusterConfig extends mysql.PoolClusterOptions, MirroredConfig {}

/** Options as applications give them: known ones are read here, the others are `mysql2`'s own. */
export type Given = Readonly<Record<string, unknown>>;

/** Where the nodes are, and as whom to log in. */
export const ADDRESS_OPTIONS: readonly string[] = [
  ...["uri", "host", "port", "user", "password", "password1", "database", "ssl"],
];

/** Settings of each connection, handed to `mysql2` as they are. */
export const CLIENT_SETTINGS: readonly (keyof ClientSettings)[] = [
  ...(["authPlugins", "authSwitchHandler", "charset", "charsetNumber", "compress", "connectAttributes"] as const),
  ...(["decimalNumbers", "disableEval", "enableKeepAlive", "flags", "insecureAuth", "jsonStrings"] as const),
  ...([
    "keepAliveInitialDelay",
    "localAddress",
    "maxPreparedStatements",
    "multipleStatements",
    "passwordSha1",
  ] as const),
  ...(["password2", "password3", "stream"] as const),
] as readonly (keyof ClientSettings)[];

/** How rows are read: a matter of each query, also on connections that others have opened. */
export const READING_OPTIONS: readonly string[] = [
  ...["bigNumberStrings", "dateStrings", "nestTables", "rowsAsArray", "supportBigNumbers", "timezone", "typeCast"],
];

/** How values are written into the text. */
export const WRITING_OPTIONS: readonly string[] = ["queryFormat", "stringifyObjects", "timezone"];

export const isFailoverPool = (value: unknown): value is FailoverPool =>
  typeof value === "object" && value !== null && "connect" in value && "transaction" in value;

/** Options whose meaning cannot be kept, each with what to do instead. */
const REFUSED: Readonly<Record<string, string>> = {
  socketPath: "no socket file: name host and port",
  isServer: "no server: use mysql2 itself",
  pool: "no pool: createPool() makes its own",
};

/** @throws {OptionsError} for what cannot be honoured */
export function refuseUnfit(given: Given): void {
  for (const [name, instead] of Object.entries(REFUSED)) refuse(given, name, instead);
}

/** @throws {OptionsError} for options of connections that somebody else has opened */
export function refuseConnectionOptions(given: Given, rule: string, names: readonly string[]): void {
  for (const name of names) refuse(given, name, rule);
}

function refuse(given: Given, name: string, rule: string): void {
  // the value may be a password
  if (given[name] !== undefined && given[name] !== null && given[name] !== false)
    throw new OptionsError(name, rule, "a value");
}
