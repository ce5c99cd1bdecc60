import { createPool, type Driver, type FailoverPool, type PoolOptions } from "@mirrorpool/core";
import { createCluster, type LabCluster, type ServerKind } from "@mirrorpool/lab";
import { mysql } from "@mirrorpool/mysql2";
import { postgres } from "@mirrorpool/pg";

const driverOf = (server: ServerKind): Driver => (server === "postgres" ? postgres() : mysql());

/** A cluster of any kind, with a pool on all its nodes under their own names. */
export interface Place extends AsyncDisposable {
  readonly cluster: LabCluster;
  readonly pool: FailoverPool;
  /** Runs statements one after the other on its primary, as the application's user. */
  run(...statements: string[]): Promise<void>;
  /** All its tables dropped. */
  clear(): Promise<void>;
}

export async function openPlace(
  server: ServerKind,
  mirrors = 0,
  options: Partial<PoolOptions> & { readonly settings?: Record<string, string> } = {},
): Promise<Place> {
  const { settings = {}, ...rest } = options;
  const cluster = await createCluster({ server, mirrors, settings });
  const nodes = cluster.nodes.map(({ name, url }) => ({ name, url }));
  const pool = createPool({ driver: driverOf(server), nodes, ...rest });
  const run = async (...statements: string[]): Promise<void> => {
    for (const statement of statements) await pool.query(statement, [], { timeoutMs: 60_000 });
  };
  return {
    cluster,
    pool,
    run,
    clear: async () => {
      if (server === "postgres") return run("DROP SCHEMA public CASCADE", "CREATE SCHEMA public");
      const text = "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()";
      const { rows } = await pool.query<{ name: string }>(text, [], { consistency: "strong" });
      await using session = await pool.connect();
      await session.query("SET SESSION foreign_key_checks = 0");
      for (const { name } of rows) await session.query(`DROP TABLE \`${name.replaceAll("`", "``")}\``);
    },
    [Symbol.asyncDispose]: async () => {
      await pool.close({ timeoutMs: 0 });
      await cluster.close();
    },
  };
}

/** Lets the application's user follow: the right to read what is replicated. */
export async function grantReplication({ cluster }: Place): Promise<void> {
  const grant = cluster.primary().url.startsWith("postgres")
    ? "ALTER ROLE app REPLICATION"
    : "GRANT REPLICATION SLAVE ON *.* TO app@'%'";
  await cluster.primary().query(grant);
}

/** Pairs of systems of which the suite takes some, and a proof by hand all: `MIRRORPOOL_FOLLOW=all vitest run packages/sync/test/cross/follow`. */
export const pairsOf = (
  usual: readonly (readonly [ServerKind, ServerKind])[],
  more: readonly (readonly [ServerKind, ServerKind])[],
): (readonly [ServerKind, ServerKind])[] =>
  process.env["MIRRORPOOL_FOLLOW"] === "all" ? [...usual, ...more] : [...usual];
