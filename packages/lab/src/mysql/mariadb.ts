import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Flavor } from "./flavor.ts";
import { quoteLiteral } from "./sql.ts";

/** "Got fatal error from master when reading data from binary log": it has not, or no longer, what the mirror asks for. */
const ER_FATAL_READING_BINLOG = 1236;

/** What `mariadb-install-db` feeds to the server, in its order. */
const SCRIPTS = [
  "mysql_system_tables.sql",
  "mysql_performance_tables.sql",
  "mysql_system_tables_data.sql",
  "maria_add_gis_sp_bootstrap.sql",
  "mysql_sys_schema.sql",
];

/** MariaDB. */
export const MARIADB: Flavor = {
  wanted: {
    title: "MariaDB",
    program: "mariadbd",
    versions: /\b(10\.([6-9]|\d\d)|1[1-9])\.\d+-MariaDB/,
    least: "10.6 or newer",
    debian: { names: ["mariadb-server-core", "galera-4"] },
  },

  settings: (synchronous) => ({
    binlog_format: "ROW",
    gtid_strict_mode: "ON",
    innodb_log_file_size: "8M",
    character_set_server: "utf8mb4",
    log_slave_updates: "ON",
    skip_slave_start: "ON",
    slave_net_timeout: "2",
    ...(synchronous && {
      rpl_semi_sync_slave_enabled: "ON",
      // who stops logs in to its primary first, to end its thread there
      rpl_semi_sync_slave_kill_conn_timeout: "1",
      rpl_semi_sync_master_wait_point: "AFTER_SYNC",
      // never goes on without: as PostgreSQL, which knows no such timeout
      rpl_semi_sync_master_timeout: String(2 ** 31),
      rpl_semi_sync_master_wait_no_slave: "ON",
    }),
  }),

  commitWaits: "rpl_semi_sync_master_enabled",

  adminPort: (port) => ({ extra_port: String(port), extra_max_connections: "100" }),

  ready: /: ready for connections\./,

  initialization({ share }) {
    const scripts = SCRIPTS.map((script) => readFileSync(join(share, script), "utf8"));
    return {
      folders: ["mysql"],
      args: ["--bootstrap", "--log-warnings=0"],
      input: ["USE mysql;", ...scripts].join("\n"),
    };
  },

  follow: ({ host, port, user, password }) => [
    // a former primary has its own writes in its binary log only
    "SET GLOBAL gtid_slave_pos = @@gtid_binlog_pos",
    `CHANGE MASTER TO MASTER_HOST = ${quoteLiteral(host)}, MASTER_PORT = ${port}, MASTER_USER = ${quoteLiteral(user)},
     MASTER_PASSWORD = ${quoteLiteral(password)}, MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1, MASTER_HEARTBEAT_PERIOD = 0.5`,
  ],
  start: (thread) => `START SLAVE ${thread}`,
  stop: (thread) => `STOP SLAVE ${thread}`,
  forget: "RESET SLAVE ALL",
  readOnly: (isOn) => `SET GLOBAL read_only = ${isOn ? "ON" : "OFF"}`,

  async status(ask) {
    const [row] = await ask<Record<string, unknown>>("SHOW SLAVE STATUS");
    if (!row) return undefined;
    return {
      isReceiving: row["Slave_IO_Running"] === "Yes",
      isApplying: row["Slave_SQL_Running"] === "Yes",
      received: String(row["Gtid_IO_Pos"] ?? ""),
      isRefused: Number(row["Last_IO_Errno"]) === ER_FATAL_READING_BINLOG,
      message: String(row["Last_IO_Error"] || row["Last_SQL_Error"]),
    };
  },

  async position(ask) {
    const [row] = await ask<{ position: string }>("SELECT @@gtid_binlog_pos AS position");
    return row?.position ?? "";
  },

  async covers(_, all, part) {
    const have = parsePosition(all);
    return [...parsePosition(part)].every(([domain, number]) => (have.get(domain) ?? 0n) >= number);
  },

  count: (position) => [...parsePosition(position).values()].reduce((sum, number) => sum + number, 0n),

  async history(ask) {
    const [row] = await ask<{ state: string }>("SELECT @@gtid_binlog_state AS state");
    return row?.state ?? "";
  },

  // its primary would look for the position in its binary log as well, but says so only some time after it was connected to
  canFollow: async (_, own, theirs) => {
    const known = parse(theirs);
    return parse(own).every((each) =>
      known.some(({ domain, server, number }) => {
        return domain === each.domain && server === each.server && number >= each.number;
      }),
    );
  },
};

interface Gtid {
  readonly domain: string;
  readonly server: string;
  readonly number: bigint;
}

const parse = (gtids: string): readonly Gtid[] =>
  gtids
    .split(",")
    .filter((part) => part.trim() !== "")
    .map((part) => {
      const [domain = "", server = "", number = "0"] = part.trim().split("-");
      return { domain, server, number: BigInt(number) };
    });

/** A position has the last sequence number of each domain: `0-2-17,1-1-4` is domain 0 up to 17, and domain 1 up to 4. */
function parsePosition(position: string): ReadonlyMap<string, bigint> {
  return new Map(parse(position).map(({ domain, number }) => [domain, number]));
}
