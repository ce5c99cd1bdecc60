import type { FailoverPool } from "@mirrorpool/core";
import type { Dialect } from "./dialect.ts";
import { BackupError } from "./errors.ts";
import { postgresDialect } from "./postgres/dialect.ts";

/** The dialect of the server that the pool leads to. @throws {BackupError} `NOT_SUPPORTED` */
export async function dialectOf(pool: FailoverPool, signal: AbortSignal | undefined): Promise<Dialect> {
  const { rows } = await pool.query<{ version: unknown }>("SELECT version() AS version", [], signal && { signal });
  const version = String(rows[0]?.version);
  if (version.startsWith("PostgreSQL ")) return postgresDialect;
  // both begin with the number of their version
  if (!/^\d+\.\d+\.\d+/.test(version))
    throw new BackupError(
      "NOT_SUPPORTED",
      `only PostgreSQL, MariaDB and MySQL are supported, and the server is ${version}`,
    );
  // whoever has no MySQL need not install its driver
  const { openMysqlDialect } = await import("./mysql/open-dialect.ts");
  return openMysqlDialect(pool, version);
}
