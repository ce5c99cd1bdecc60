import type { ServerKind } from "@mirrorpool/lab";
import { mariadbSystem, mysqlSystem } from "./mysql.ts";
import { postgresSystem } from "./postgres.ts";
import type { System } from "./system.ts";

/** All that suites can run on. */
export const systems: Readonly<Record<ServerKind, System>> = {
  postgres: postgresSystem,
  mariadb: mariadbSystem,
  mysql: mysqlSystem,
};
