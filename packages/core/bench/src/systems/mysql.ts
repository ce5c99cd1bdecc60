import { mysql } from "@mirrorpool/mysql2";
import { mysqlOrms } from "../orms/index.ts";
import { openMariadb } from "../peers/mariadb.ts";
import { openMysql2 } from "../peers/mysql2.ts";
import { failoverOnMysql } from "./mysql-failover.ts";
import type { System } from "./system.ts";

const common = {
  settings: {},
  driver: () => mysql(),
  values: ["?", "?"],
  roomy: "",
  sleep: (seconds) => `SLEEP(${seconds})`,
  random: "RAND()",
  analyze: (table) => `ANALYZE TABLE ${table}`,
  peers: (options) => [openMysql2(options), openMariadb(options)],
  orms: mysqlOrms,
  failover: failoverOnMysql,
} as const satisfies Partial<System>;

export const mariadbSystem: System = { kind: "mariadb", title: "MariaDB", ...common };

export const mysqlSystem: System = { kind: "mysql", title: "MySQL", ...common };
