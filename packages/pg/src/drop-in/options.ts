import type { Driver, FailoverPool, PoolOptions, StatementOptions } from "@mirrorpool/core";
import { OptionsError } from "@mirrorpool/core";
import type pg from "pg";
import type { ClientSettings } from "../driver.ts";

/** What `createPool` of the core takes. */
export type OwnPoolOptions = Omit<PoolOptions, "driver" | "nodes"> & {
  /** Default: `postgres()`, with the settings of connections that `pg`'s own options name. */
  readonly driver?: Driver;
  /** Default: the one node, or the list of hosts, that `pg`'s own options name. */
  readonly nodes?: PoolOptions["nodes"];
};

/** The failover pool to use, which is not closed by `end()`; or the options of one that is made and closed with this. */
export type MirrorpoolOption = FailoverPool | OwnPoolOptions;

/** What there is beside `pg`'s options. */
export interface MirroredConfig {
  readonly mirrorpool?: MirrorpoolOption;
  /** How fresh the reads have to be; with `strong` the primary answers them all. Default: as the failover pool says. */
  readonly consistency?: NonNullable<StatementOptions["consistency"]>;
}

/** `pg`'s options, and some more. */
export interface DropInClientConfig extends pg.ClientConfig, MirroredConfig {}

/** `pg`'s options, and some more. */
export interface DropInPoolConfig extends pg.PoolConfig, MirroredConfig {}

/** Options as applications give them: known ones are read here, the others are `pg`'s and the application's own. */
export type Given = Readonly<Record<string, unknown>>;

/** Where the nodes are, and as whom to log in. */
export const ADDRESS_OPTIONS: readonly string[] = [
  "connectionString",
  "host",
  "port",
  "user",
  "password",
  "database",
  "ssl",
];

/** Settings of each connection, handed to `pg` as they are. */
export const CLIENT_SETTINGS: readonly (keyof ClientSettings)[] = [
  "client_encoding",
  "enableChannelBinding",
  "fallback_application_name",
  "idle_in_transaction_session_timeout",
  "keepAlive",
  "keepAliveInitialDelayMillis",
  "lock_timeout",
  "options",
  "sslnegotiation",
  "statement_timeout",
  "stream",
];

export const isFailoverPool = (value: unknown): value is FailoverPool =>
  typeof value === "object" && value !== null && "connect" in value && "transaction" in value;

/** Options whose meaning cannot be kept, each with what to do instead. Those that ask for nothing are let through. */
const REFUSED: Readonly<Record<string, { readonly asks: (value: unknown) => boolean; readonly instead: string }>> = {
  pipeline: { asks: Boolean, instead: "no pipeline: statements of one client may go to different nodes" },
  replication: { asks: Boolean, instead: "no replication protocol: use a pg.Client on the node itself" },
  maxUses: {
    asks: (value) => typeof value === "number" && Number.isFinite(value) && value > 0,
    instead: "nothing here: connections are replaced by age, see mirrorpool.pool.lifetimeMs",
  },
  Client: { asks: Boolean, instead: "no Client: the pool makes its own" },
  connection: { asks: Boolean, instead: "no connection: the nodes' pools open them" },
};

/** @throws {OptionsError} for what cannot be honoured */
export function refuseUnfit(given: Given): void {
  for (const [name, { asks, instead }] of Object.entries(REFUSED)) {
    if (asks(given[name])) throw new OptionsError(name, instead, "a value");
  }
}

/** @throws {OptionsError} for options of connections that somebody else has opened */
export function refuseConnectionOptions(given: Given, rule: string, names: readonly string[]): void {
  for (const name of names) {
    // the value may be a password
    if (given[name] !== undefined && given[name] !== null) throw new OptionsError(name, rule, "a value");
  }
}
