import type { FailoverPool } from "@mirrorpool/core";
import { dialectOf } from "@mirrorpool/sync/for-other-jobs";
import type { Dialect } from "../dialect.ts";
import { createMysqlDialect } from "./dialect.ts";

/** @param version as the server tells it */
export async function openMysqlDialect(pool: FailoverPool, version: string): Promise<Dialect> {
  const dialect = await dialectOf(pool);
  if (dialect === undefined) throw new Error(`no dialect for ${version}`); // it was known a moment ago
  return createMysqlDialect(dialect, version.includes("MariaDB") ? "mariadb" : "mysql");
}
