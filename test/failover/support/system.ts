import type { Driver } from "@mirrorpool/core";
import type { LabNode, ServerKind } from "@mirrorpool/lab";
import { mysql } from "@mirrorpool/mysql2";
import { postgres } from "@mirrorpool/pg";

/** What scenarios have to know of the database system that they run on. */
export interface TestSystem {
  readonly driver: () => Driver;
  /** Counts the statements of the application that run and contain the marker, which is the parameter. */
  readonly statements: string;
}

const POSTGRES: TestSystem = {
  driver: () => postgres(),
  statements:
    "SELECT count(*) AS count FROM pg_stat_activity WHERE usename = 'app' AND state = 'active' AND position($1 in query) > 0",
};

const MYSQL: TestSystem = {
  driver: () => mysql(),
  statements:
    "SELECT count(*) AS count FROM information_schema.PROCESSLIST WHERE USER = 'app' AND COMMAND <> 'Sleep' AND LOCATE(?, INFO) > 0",
};

/** Told by the node's URL. */
export const systemOf = ({ url }: LabNode): TestSystem => (url.startsWith("mysql:") ? MYSQL : POSTGRES);

/** The systems that speak MySQL's protocol. */
export const mysqlServers: readonly ServerKind[] = ["mariadb", "mysql"];
