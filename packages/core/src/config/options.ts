import type { Driver } from "../driver.ts";
import type { Balance } from "../routing/balance.ts";
import type { Consistency } from "../routing/freshness.ts";

/** Every option of a group with its bounds and default: the one table that checking and documentation share. */
export const optionRules = {
  pool: {
    min: { type: "integer", min: 0, max: 10_000, default: 0 },
    max: { type: "integer", min: 1, max: 10_000, default: 10 },
    warm: { type: "integer", min: 0, max: 10_000, default: 2 },
    idleMs: { type: "integer", min: 100, max: 86_400_000, default: 30_000 },
    lifetimeMs: { type: "integer", min: 1_000, max: 2_592_000_000, default: 3_600_000 },
    lifetimeJitter: { type: "number", min: 0, max: 1, default: 0.1 },
    validateAfterIdleMs: { type: "integer", min: 0, max: 86_400_000, default: 10_000 },
    maxWaiting: { type: "integer", min: 1, max: 1_000_000, default: 10_000 },
    shareReads: { type: "boolean", default: true },
    leakMs: { type: "integer", min: 0, max: 86_400_000, default: 0 },
  },
  timeouts: {
    acquireMs: { type: "integer", min: 1, max: 3_600_000, default: 10_000 },
    connectMs: { type: "integer", min: 1, max: 600_000, default: 5_000 },
    statementMs: { type: "integer", min: 1, max: 86_400_000, default: 30_000 },
    failoverMs: { type: "integer", min: 1, max: 86_400_000, default: 30_000 },
    mirrorMs: { type: "integer", min: 1, max: 86_400_000, default: 10_000 },
  },
  monitor: {
    intervalMs: { type: "integer", min: 10, max: 60_000, default: 250 },
    fastIntervalMs: { type: "integer", min: 10, max: 1_000, default: 50 },
    probeTimeoutMs: { type: "integer", min: 10, max: 60_000, default: 400 },
    misses: { type: "integer", min: 1, max: 20, default: 2 },
  },
  routing: {
    readFrom: { type: "choice", of: ["mirrors", "primary"], default: "mirrors" },
    consistency: { type: "choice", of: ["process", "context", "eventual", "strong"], default: "process" },
    balance: { type: "choice", of: ["least-busy", "latency"], default: "least-busy" },
    hedge: { type: "number", min: 0, max: 1, default: 0 },
    maxLagBytes: { type: "integer", min: 0, max: 9_007_199_254_740_991, default: 16_777_216 },
    maxLagMs: { type: "integer", min: 0, max: 86_400_000, default: 10_000 },
    freshWaitMs: { type: "integer", min: 0, max: 60_000, default: 20 },
    splitBrainReads: { type: "boolean", default: false },
  },
  failover: {
    releaseJitterMs: { type: "integer", min: 0, max: 10_000, default: 10 },
    maxWaiting: { type: "integer", min: 1, max: 1_000_000, default: 10_000 },
  },
  replay: {
    maxStatements: { type: "integer", min: 0, max: 1_000_000, default: 1_000 },
    maxBytes: { type: "integer", min: 0, max: 9_007_199_254_740_991, default: 4_194_304 },
  },
} as const;

/** A password, or where to get it: called for the first connection, and again after the server refused it. */
export type Password = string | (() => string | Promise<string>);

/** What a write has to reach before it is acknowledged. */
export type Durability = "primary" | "mirrored";

/** One node as an object. What a URL says, these override. */
export interface NodeOptions {
  /** Name in events, errors and statistics. Default: `host:port`. */
  readonly name?: string;
  readonly url?: string;
  readonly host?: string;
  /** 1 to 65535. Default: the driver's. */
  readonly port?: number;
  readonly database?: string;
  readonly user?: string;
  readonly password?: Password;
  /** Passed to the database library as it is: `true`, `false` or its own TLS options. */
  readonly tls?: unknown;
  /** Relative share of reads, 0 to 1000; 0 takes reads only when nothing else can. Default 1. */
  readonly weight?: number;
}

/** The commit ledger. */
export interface ExactlyOnceOptions {
  /** `table` or `schema.table`. Default `mirrorpool_ledger`. Where a table without a schema lies is the driver's rule. */
  readonly table?: string;
  /** Tokens older than this are removed; longer than any call may last. A minute to 30 days in ms, default an hour. */
  readonly retentionMs?: number;
}

/** What `createPool` takes. Durations are in milliseconds, sizes in bytes; unknown options are refused. */
export interface PoolOptions {
  /** Speaks to the database library, such as `postgres()` of `@mirrorpool/pg`. */
  readonly driver: Driver;
  /** The primary and its mirrors, in any order: who is who is found out. 1 to 100, URLs or objects. */
  readonly nodes: readonly (string | NodeOptions)[];
  /** Shown by the servers' own monitoring. Default `mirrorpool`. */
  readonly applicationName?: string;
  /** Sizes and ages, for each node. */
  readonly pool?: {
    /** Connections kept open to each node. 0 to 10 000, default 0. */
    readonly min?: number;
    /** Most connections to each node. 1 to 10 000, default 10. */
    readonly max?: number;
    /** Connections kept open to each mirror, ready for the day it is promoted. 0 to 10 000, default 2. */
    readonly warm?: number;
    /** Idle connections above `min` are closed after this. 100 ms to a day, default 30 000. */
    readonly idleMs?: number;
    /** Connections older than this are replaced when they are idle. 1 s to 30 days, default an hour. */
    readonly lifetimeMs?: number;
    /** Spread of the lifetime, as a fraction: not all connections end at once. 0 to 1, default 0.1. */
    readonly lifetimeJitter?: number;
    /** A connection idle for longer is asked whether it lives before it is lent. 0 ms to a day, default 10 000. */
    readonly validateAfterIdleMs?: number;
    /** Most callers waiting for a connection to one node. 1 to 1 000 000, default 10 000. */
    readonly maxWaiting?: number;
    /** Whether fast reads outside transactions may share connections, where the database library can do that. Default true. */
    readonly shareReads?: boolean;
    /** A session held for longer is reported as `leak-suspected`, with the stack of who took it. 0 (off) to a day, default 0. */
    readonly leakMs?: number;
  };
  readonly timeouts?: {
    /** Longest wait for a free connection. 1 ms to an hour, default 10 000. */
    readonly acquireMs?: number;
    /** Longest time to open one connection, login included. 1 ms to 10 minutes, default 5 000. */
    readonly connectMs?: number;
    /** Longest time for one call, all waiting and running again included, where the call names no `timeoutMs`. 1 ms to a day, default 30 000. */
    readonly statementMs?: number;
    /** Longest wait for a node that can serve the call. 1 ms to a day, default 30 000. */
    readonly failoverMs?: number;
    /** Longest wait for a mirror to have a commit, with `durability: "mirrored"`. 1 ms to a day, default 10 000. */
    readonly mirrorMs?: number;
  };
  readonly monitor?: {
    /** Between two probes of a node. 10 ms to a minute, default 250. */
    readonly intervalMs?: number;
    /**
     * The longest between two while there is no primary, for the first minute; right after the loss it is 10 ms, later an eighth of
     * the time since. 10 ms to a second, default 50.
     */
    readonly fastIntervalMs?: number;
    /** A probe without answer for this long is a miss. 10 ms to a minute, default 400. */
    readonly probeTimeoutMs?: number;
    /** Misses in a row until a silent node counts as down. 1 to 20, default 2. */
    readonly misses?: number;
  };
  readonly routing?: {
    /** Whether reads may be answered by mirrors. Default `mirrors`. */
    readonly readFrom?: "mirrors" | "primary";
    /** How fresh reads have to be. Default `process`: they see what this process has written. */
    readonly consistency?: Consistency;
    /**
     * How one of several mirrors is chosen: of two that are drawn by weight, the one with the least work, or with the least work
     * times round trip. Default `least-busy`.
     */
    readonly balance?: Balance;
    /**
     * Largest share of the reads that are also sent to a second node, where the first one takes longer than for 95 % of its
     * reads; the first answer counts. 0 (off) to 1, default 0; 0.05 does what can be done.
     */
    readonly hedge?: number;
    /** A mirror further behind than this gets no reads. 0 and up, default 16 MiB. */
    readonly maxLagBytes?: number;
    /** The same in time. 0 ms to a day, default 10 000. */
    readonly maxLagMs?: number;
    /**
     * How long a read of a context, or one with `freshAs`, waits for a mirror to have what it must see, before the primary
     * answers. 0 ms to a minute, default 20.
     */
    readonly freshWaitMs?: number;
    /** Whether mirrors go on answering reads while two nodes claim to be primary. Default false. */
    readonly splitBrainReads?: boolean;
  };
  /** An open transaction is recorded, so that it can be run again on the new primary. */
  readonly replay?: {
    /** Longer transactions are not replayed; 0 is off. 0 to 1 000 000, default 1 000. */
    readonly maxStatements?: number;
    /** Nor are those whose statements and values take more bytes. 0 and up, default 4 MiB. */
    readonly maxBytes?: number;
  };
  /**
   * Settles the outcome of each commit by the commit ledger, a table in the application's database that has to be made once:
   * see `ledgerSchema()`. Default false.
   */
  readonly exactlyOnce?: boolean | ExactlyOnceOptions;
  /**
   * What a write has to reach before it is acknowledged: `primary`, or `mirrored`: a mirror has it as well, so that a failover
   * to a mirror that has all loses nothing. By the server itself where `synchronous_standby_names` is set, else the pool waits
   * until it has seen it, at most `timeouts.mirrorMs`. Default `primary`.
   */
  readonly durability?: Durability;
  /**
   * How often a transaction that the server has undone in a conflict with others (a serialization failure, a deadlock) is run
   * again by replay, and so is a single statement. 0 to 100, default 0: the application gets the error.
   */
  readonly retryOnConflict?: number;
  readonly failover?: {
    /** After a failover waiting work starts within a random part of this. 0 ms to 10 s, default 10. */
    readonly releaseJitterMs?: number;
    /** Most callers waiting for a usable node. 1 to 1 000 000, default 10 000. */
    readonly maxWaiting?: number;
  };
}
