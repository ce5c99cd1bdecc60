import type { Ask } from "../cluster/login.ts";
import type { Flavor } from "./flavor.ts";
import { quoteLiteral } from "./sql.ts";

/** "Got fatal error from source when reading data from binary log", by its number on the source and on the replica. */
const ER_FATAL_READING_BINLOG: ReadonlySet<number> = new Set([1236, 13114]);

/** MySQL. */
export const MYSQL: Flavor = {
  wanted: {
    title: "MySQL",
    program: "mysqld",
    versions: /Ver (8\.[4-9]|9\.\d+|\d\d\.\d+)\.\d+(?!.*MariaDB)/,
    least: "8.4 or newer",
    debian: {
      // the only suite that has it
      suite: "sid",
      names: ["mysql-server-core"],
      leftOut: /^(perl|libperl|perl-base|perl-modules|libgdbm|libdb5|libc-gconv|openssl-provider)/,
    },
  },

  settings: (synchronous) => ({
    gtid_mode: "ON",
    enforce_gtid_consistency: "ON",
    innodb_redo_log_capacity: "16M",
    skip_replica_start: "ON",
    replica_net_timeout: "2",
    mysqlx: "OFF",
    // its default is a folder that an installation makes
    secure_file_priv: "NULL",
    ...(synchronous && {
      plugin_load_add: "semisync_source.so;semisync_replica.so",
      rpl_semi_sync_replica_enabled: "ON",
      rpl_semi_sync_source_wait_point: "AFTER_SYNC",
      // never goes on without: as PostgreSQL, which knows no such timeout
      rpl_semi_sync_source_timeout: String(2 ** 31),
      rpl_semi_sync_source_wait_no_replica: "ON",
    }),
  }),

  commitWaits: "rpl_semi_sync_source_enabled",

  adminPort: (port) => ({ admin_address: "127.0.0.1", admin_port: String(port) }),

  ready: /: ready for connections\.[\s\S]*Admin interface ready for connections/,

  initialization: () => ({ folders: [], args: ["--initialize-insecure"], input: "" }),

  follow: ({ host, port, user, password }) => [
    `CHANGE REPLICATION SOURCE TO SOURCE_HOST = ${quoteLiteral(host)}, SOURCE_PORT = ${port},
     SOURCE_USER = ${quoteLiteral(user)}, SOURCE_PASSWORD = ${quoteLiteral(password)}, SOURCE_AUTO_POSITION = 1,
     GET_SOURCE_PUBLIC_KEY = 1, SOURCE_CONNECT_RETRY = 1, SOURCE_RETRY_COUNT = 86400, SOURCE_HEARTBEAT_PERIOD = 0.5`,
  ],
  start: (thread) => `START REPLICA ${thread}`,
  stop: (thread) => `STOP REPLICA ${thread}`,
  // for a minute it waits for the rest of a transaction that it has received in part
  async interrupt(ask) {
    const threads = await ask<{ id: number }>(
      `SELECT processlist_id AS id FROM performance_schema.replication_applier_status_by_coordinator
       JOIN performance_schema.threads USING (thread_id)`,
    );
    for (const { id } of threads) await ask(`KILL ${id}`);
  },
  forget: "RESET REPLICA ALL",
  // each sets the other with it
  readOnly: (isOn) => (isOn ? "SET GLOBAL super_read_only = ON" : "SET GLOBAL read_only = OFF"),

  async status(ask) {
    const [row] = await ask<Record<string, unknown>>("SHOW REPLICA STATUS");
    if (!row) return undefined;
    const sets = [row["Retrieved_Gtid_Set"], row["Executed_Gtid_Set"]].filter(Boolean).join(",");
    const [union] = await ask<{ received: string }>("SELECT GTID_SUBTRACT(?, '') AS received", [sets]);
    return {
      isReceiving: row["Replica_IO_Running"] === "Yes",
      isApplying: row["Replica_SQL_Running"] === "Yes",
      received: union?.received ?? "",
      isRefused: ER_FATAL_READING_BINLOG.has(Number(row["Last_IO_Errno"])),
      message: String(row["Last_IO_Error"] || row["Last_SQL_Error"]),
    };
  },

  position: executed,

  covers: isSubset,

  // `uuid:1-5:7,uuid:tag:9` has 7 transactions; numbers are the parts without letters
  count: (position) =>
    [...position.matchAll(/:(\d+)(?:-(\d+))?(?![\w-])/g)].reduce(
      (sum, [, first = "0", last = first]) => sum + BigInt(last) - BigInt(first) + 1n,
      0n,
    ),

  history: executed,

  // a source does not notice what its replica has too much
  canFollow: (ask, own, primary) => isSubset(ask, primary, own),
};

async function executed(ask: Ask): Promise<string> {
  const [row] = await ask<{ position: string }>("SELECT @@GLOBAL.gtid_executed AS position");
  return row?.position.replaceAll("\n", "") ?? "";
}

async function isSubset(ask: Parameters<Flavor["covers"]>[0], all: string, part: string): Promise<boolean> {
  const [row] = await ask<{ holds: number }>("SELECT GTID_SUBSET(?, ?) AS holds", [part, all]);
  return row?.holds === 1;
}
