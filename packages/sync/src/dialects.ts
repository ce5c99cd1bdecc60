import type { FailoverPool } from "@mirrorpool/core";
import type { Dialect } from "./dialect.ts";
import { refused } from "./errors.ts";
import { isPostgres, postgresDialect } from "./postgres/dialect.ts";

/** The dialect of both databases. @throws {JobError} `REFUSED` where there is none for one of them */
export async function dialectsOf(from: FailoverPool, to: FailoverPool): Promise<Dialect> {
  const [isSource, isTarget] = await Promise.all([isPostgres(from), isPostgres(to)]);
  if (isSource && isTarget) return postgresDialect;
  throw refused("the job is", [
    { table: "", reason: "only PostgreSQL is supported, for the source and for the target" },
  ]);
}
