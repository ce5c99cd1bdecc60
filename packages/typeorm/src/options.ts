import type { FailoverPool, NodeOptions, PoolInUse } from "@mirrorpool/core";
import { OptionsError, optionRules } from "@mirrorpool/core";
import { type DropInPoolConfig, type MirrorpoolOption, takePgPool } from "@mirrorpool/pg";
import type { DataSourceOptions } from "typeorm";

/** TypeORM's options for PostgreSQL. */
export type PostgresOptions = Extract<DataSourceOptions, { readonly type: "postgres" }>;

/** Where TypeORM looks for one server, and as whom it logs in. */
type Credentials = NonNullable<PostgresOptions["replication"]>["master"];

const ADDRESS = ["url", "host", "port", "username", "password", "database", "ssl"] as const;

/** By this a pool knows which side it is for: what `extra` says goes before it. */
const SIDE_OPTION = "host";

/** What `extra` may say of the sizes of `pg`'s pool. */
const SIZES = ["max", "min", "maxLifetimeSeconds"];

/** As for every pool: the drop-in for `pg`, like `pg`, lets a statement take as long as it takes. */
const TIMEOUTS = { statementMs: optionRules.timeouts.statementMs.default };

const isPool = (source: MirrorpoolOption | undefined): source is FailoverPool =>
  source !== undefined && "transaction" in source;

/** The part of the options that stays TypeORM's, and the pool that the rest asks for, to be opened when there is need. */
interface Read {
  readonly kept: PostgresOptions;
  open(): PoolInUse;
}

/** @throws {OptionsError} for what would have no effect, or another one than in TypeORM */
export function readOptions(options: PostgresOptions, source: MirrorpoolOption | undefined): Read {
  const { driver, nativeDriver, replication, ...own } = options;
  refuse({ driver, nativeDriver }, ["driver", "nativeDriver"], "", "nothing here: mirroredPostgres() gives its own");
  const { url, host, port, username, password, database, ssl, applicationName, poolSize, extra = {}, ...kept } = own;
  const all = replication === undefined ? [] : [replication.master, ...replication.slaves];
  const servers = all.filter((each) => Object.values(each).some((value) => value !== undefined));
  refuseUnfit(options, servers, source);
  const asked = {
    connectionString: url,
    host,
    port,
    user: username,
    password,
    database,
    ssl,
    application_name: applicationName ?? servers.find((each) => each.applicationName !== undefined)?.applicationName,
    max: poolSize,
    connectionTimeoutMillis: kept.connectTimeoutMS,
    ...extra, // goes before, as in TypeORM
  };
  const nodes = servers.length === 0 ? {} : { nodes: servers.map(nodeOf) };
  const mirrorpool = isPool(source) ? source : { ...source, ...nodes, timeouts: { ...TIMEOUTS, ...source?.timeouts } };
  return {
    kept: { ...kept, extra: Object.fromEntries(Object.entries(extra).filter(([name]) => name !== SIDE_OPTION)) },
    open: () => takePgPool(defined({ ...asked, mirrorpool }) as DropInPoolConfig), // checked there
  };
}

function refuseUnfit(options: PostgresOptions, servers: readonly Credentials[], source?: MirrorpoolOption): void {
  if (isPool(source)) {
    const rule = "nothing here: the pool that was given has its connections already";
    refuse(options, [...ADDRESS, "applicationName", "poolSize"], "", rule);
    refuse(options.extra, SIZES, "extra.", rule);
    for (const each of servers) refuse(each, Object.keys(each), "replication.", rule);
  } else if (source?.nodes !== undefined) {
    const rule = "nothing here: say it in `nodes`";
    refuse(options, ADDRESS, "", rule);
    for (const each of servers) refuse(each, Object.keys(each), "replication.", rule);
  } else if (servers.length > 0) {
    refuse(options, ADDRESS, "", "nothing here: say it in `replication`");
  }
}

/** A server of TypeORM's replication as a node: which one is the master is found out. */
function nodeOf({ url, host, port, username: user, password, database, ssl: tls }: Credentials): NodeOptions {
  const parts = { host, port, user, password, database };
  // in a URL `pg` would not see what the others say, unless the URL leaves it open
  if (url !== undefined)
    refuse(parts, Object.keys(parts), "replication.", "nothing here: say it in the `url` beside it");
  return defined({ url, ...parts, tls }) as NodeOptions; // checked by the core
}

function refuse(given: object | undefined, names: readonly string[], path: string, rule: string): void {
  for (const name of names) {
    const value = (given as Readonly<Record<string, unknown>> | undefined)?.[name];
    // the value may be a password
    if (value !== undefined && value !== null) throw new OptionsError(`${path}${name}`, rule, "a value");
  }
}

const defined = (options: object): object =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
