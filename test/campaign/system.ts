import type { Driver } from "@mirrorpool/core";
import type { ClusterOptions, LabCluster, LabNode } from "@mirrorpool/lab";
import { mysql } from "@mirrorpool/mysql2";
import { postgres } from "@mirrorpool/pg";

/** Primary and mirrors, or a group that settles its own affairs. */
export type SystemName = "postgres" | "mariadb" | "mysql" | "galera" | "group-replication";

/** What the campaign has to know of the database system that it runs on. */
export interface CampaignSystem {
  /** Three nodes that lose nothing they have acknowledged. */
  readonly cluster: ClusterOptions;
  /** The nodes settle themselves who leads: `elected`; or each of them takes writes: `peers`. */
  readonly group?: "elected" | "peers";
  readonly driver: () => Driver;
  /** A statement as this system takes it, whose parameters are written `$1`, `$2`, ... in their order. */
  readonly text: (sql: string) => string;
  /** A column for tables without a key, where none is taken without one. */
  readonly keyColumn?: string;
  /** Of the message with token and COMMIT, and of its answer. */
  readonly commitBytes: { readonly up: number; readonly down: number };
  /**
   * Of two primaries the newer one is known by its timeline. Without it a manager makes a former primary that it can reach
   * read-only first, and that waits for the transactions that are open.
   */
  readonly hasTimelines: boolean;
  /** What the application's role has to be allowed for all of the promise. */
  readonly grants: readonly string[];
  /** The node takes writes, and waits for no mirror. */
  letWrite(node: LabNode): Promise<void>;
  /** Promotes the node so that no commit on it is ever answered, though the other mirrors have all that it had. */
  promoteMute(cluster: LabCluster, node: LabNode, promote: () => Promise<void>): Promise<void>;
  /** Whether a question to the commit ledger waits on it. */
  isAsked(node: LabNode): Promise<boolean>;
}

const POSTGRES: CampaignSystem = {
  cluster: { server: "postgres", synchronous: true },
  driver: () => postgres(),
  text: (sql) => sql,
  commitBytes: { up: 110, down: 34 },
  hasTimelines: true,
  grants: [],

  async letWrite(node) {
    await node.query("ALTER SYSTEM SET synchronous_standby_names = ''");
    await node.query("ALTER SYSTEM SET default_transaction_read_only = off");
    await node.query("SELECT pg_reload_conf()");
  },

  // it waits for a mirror that does not exist
  async promoteMute(_, node, promote) {
    await node.query("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    await node.query("SELECT pg_reload_conf()");
    await promote();
  },

  async isAsked(node) {
    const sql =
      "SELECT FROM pg_stat_activity WHERE state = 'active' AND wait_event = 'SyncRep' AND query LIKE '%isFenced%'";
    return (await node.query(sql)).length > 0;
  },
};

/** Whether a node follows another one MySQL tells only with this. */
const MYSQL_GRANTS = ["GRANT SELECT ON performance_schema.* TO app"];

/** MariaDB and MySQL, which differ in how the setting is called that makes a commit wait. */
const mysqlSystem = (server: "mariadb" | "mysql", commitWaits: string, grants: readonly string[]): CampaignSystem => ({
  cluster: { server, synchronous: true },
  driver: () => mysql(),
  text: (sql) => sql.replaceAll(/\$\d+/g, "?"),
  commitBytes: { up: 130, down: 42 },
  hasTimelines: false,
  grants,

  async letWrite(node) {
    await node.query(`SET GLOBAL ${commitWaits} = OFF`);
    await node.readOnly(false);
  },

  // nobody can reach it before its mirrors have left it
  async promoteMute(cluster, node, promote) {
    await node.proxy.refuse();
    await promote();
    await cluster.caughtUp();
    await Promise.all(cluster.mirrors().map((mirror) => mirror.replicate(false)));
    await node.proxy.heal();
  },

  async isAsked(node) {
    const sql =
      "SELECT 1 FROM information_schema.PROCESSLIST WHERE COMMAND = 'Query' AND INFO LIKE 'INSERT IGNORE%is_fenced%'";
    return (await node.query(sql)).length > 0;
  },
});

const MARIADB = mysqlSystem("mariadb", "rpl_semi_sync_master_enabled", []);
const MYSQL = mysqlSystem("mysql", "rpl_semi_sync_source_enabled", MYSQL_GRANTS);

/** The systems that a campaign runs on. */
export const SYSTEMS: Readonly<Record<SystemName, CampaignSystem>> = {
  postgres: POSTGRES,
  mariadb: MARIADB,
  mysql: MYSQL,
  galera: { ...MARIADB, cluster: { server: "mariadb", group: true }, group: "peers" },
  "group-replication": {
    ...MYSQL,
    cluster: { server: "mysql", group: true },
    group: "elected",
    keyColumn: "row_key binary(16) DEFAULT (uuid_to_bin(uuid())) PRIMARY KEY, ",
  },
};
