import type { FailoverPool, NodeOptions, PoolInUse } from "@mirrorpool/core";
import { OptionsError, optionRules } from "@mirrorpool/core";
import { type DropInPoolConfig, type MirrorpoolOption, takeMysqlPool } from "@mirrorpool/mysql2";
import type { DataSourceOptions } from "typeorm";

/** TypeORM's options for MariaDB and MySQL. */
export type MysqlOptions = Extract<DataSourceOptions, { readonly type: "mysql" | "mariadb" }>;

type Given = Readonly<Record<string, unknown>>;

const ADDRESS = ["url", "host", "port", "username", "password", "database", "ssl", "socketPath"] as const;

/** What connections are told at login: that of a pool that was given is not TypeORM's to say. */
const OF_CONNECTIONS = ["charset", "flags", "insecureAuth", "multipleStatements", "poolSize"] as const;

/** As for every pool: the drop-in for `mysql2`, like `mysql2`, lets a statement take as long as it takes. */
const TIMEOUTS = { statementMs: optionRules.timeouts.statementMs.default };

const isPool = (source: MirrorpoolOption | undefined): source is FailoverPool =>
  source !== undefined && "transaction" in source;

/** The part of the options that stays TypeORM's, and the pool that the rest asks for, to be opened when there is need. */
interface Read {
  readonly kept: Given;
  open(): PoolInUse;
}

/** @throws {OptionsError} for what would have no effect, or another one than in TypeORM */
export function readOptions(options: MysqlOptions, source: MirrorpoolOption | undefined): Read {
  refuse(options, ["driver"], "", "nothing here: mirroredMysql() gives its own");
  const { driver: _, replication, url, host, port, username, password, database, ssl, poolSize, ...kept } = options;
  const { master, slaves = [] } = replication ?? {};
  const all = master === undefined ? [] : [master, ...slaves];
  const servers = (all as readonly object[] as readonly Given[]).filter((each) =>
    Object.values(each).some((value) => value !== undefined),
  );
  refuseUnfit(options, servers, source);
  const { charset, flags, insecureAuth, multipleStatements, connectTimeout, extra } = kept;
  const address = { uri: url, host, port, user: username, password, database, ssl };
  const login = { charset, flags, insecureAuth, multipleStatements, connectTimeout, connectionLimit: poolSize };
  const nodes = servers.length === 0 ? {} : { nodes: servers.map(nodeOf) };
  const mirrorpool = isPool(source) ? source : { ...source, ...nodes, timeouts: { ...TIMEOUTS, ...source?.timeouts } };
  const asked = isPool(source) ? {} : { ...address, ...login, ...(extra as object | undefined) };
  return { kept, open: () => takeMysqlPool(defined({ ...asked, mirrorpool }) as DropInPoolConfig) }; // checked there
}

function refuseUnfit(options: MysqlOptions, servers: readonly Given[], source?: MirrorpoolOption): void {
  if (isPool(source)) {
    const rule = "nothing here: the pool that was given has its connections already";
    refuse(options, [...ADDRESS, ...OF_CONNECTIONS], "", rule);
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
function nodeOf({ url, host, port, username: user, password, database, ssl: tls }: Given): NodeOptions {
  return defined({ url, host, port, user, password, database, tls }) as NodeOptions; // checked by the core
}

function refuse(given: object, names: readonly string[], path: string, rule: string): void {
  for (const name of names) {
    const value = (given as Given)[name];
    // the value may be a password
    if (value !== undefined && value !== null) throw new OptionsError(`${path}${name}`, rule, "a value");
  }
}

const defined = (options: object): object =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
