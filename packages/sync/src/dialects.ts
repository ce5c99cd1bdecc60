import type { FailoverPool } from "@mirrorpool/core";
import type { Dialect, RowForm, SourceDialect, TargetDialect } from "./dialect.ts";
import { refused } from "./errors.ts";
import type { Catalog } from "./model.ts";
import type { Crossing, Pair } from "./pair-tables.ts";
import { isPostgres, postgresDialect, postgresForm } from "./postgres/dialect.ts";
import type { LossyRule } from "./types/fit.ts";

/** The two sides of a job, each with its dialect. */
export interface Bridge extends Crossing {
  readonly source: SourceDialect;
  readonly target: TargetDialect;
}

const NO_LOSS: ReadonlySet<LossyRule> = new Set();

/** Finds the dialect of each side. @throws {JobError} `REFUSED` where there is none for one of them */
export async function bridgeOf(
  from: FailoverPool,
  to: FailoverPool,
  lossy: ReadonlySet<LossyRule> = NO_LOSS,
): Promise<Bridge> {
  const [source, target] = await Promise.all([dialectOf(from), dialectOf(to)]);
  if (source === undefined || target === undefined) {
    const reason = "only PostgreSQL, MariaDB and MySQL are supported, for the source and for the target";
    throw refused("the job is", [{ table: "", reason }]);
  }
  return Object.freeze({ source, target, from: source.system, to: target.system, lossy });
}

/** By the version that the server tells; undefined for a system that nobody knows here. */
export async function dialectOf(pool: FailoverPool): Promise<Dialect | undefined> {
  const { rows } = await pool.query<{ version: unknown }>("SELECT version() AS version");
  const version = String(rows[0]?.version);
  if (isPostgres(version)) return postgresDialect;
  // both begin with the number of their version
  if (!/^\d+\.\d+\.\d+/.test(version)) return undefined;
  // whoever has no MySQL need not install its driver
  const { mysqlDialect } = await import("./mysql/dialect.ts");
  return mysqlDialect(version);
}

/** In which form rows of the one go to the other. */
export const rowFormOf = (source: Catalog, target: Catalog, pair: Pair): RowForm =>
  source.system === "postgres" && target.system === "postgres" ? postgresForm(source, target, pair) : "text";
