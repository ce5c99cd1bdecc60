import { createPool, type FailoverPool, type PoolOptions } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";

/** A pool on all nodes of a cluster, under their own names. */
function openPool(cluster: LabCluster, options: Partial<PoolOptions> = {}): FailoverPool {
  const nodes = cluster.nodes.map(({ name, url }) => ({ name, url }));
  return createPool({ driver: postgres(), nodes, ...options });
}

/** A source with a mirror and a target without, and a pool on each. */
export interface Pair extends AsyncDisposable {
  readonly source: LabCluster;
  readonly target: LabCluster;
  readonly from: FailoverPool;
  readonly to: FailoverPool;
  /** Runs SQL on both, as the application's role. */
  both(...statements: string[]): Promise<void>;
  /** The schema `public` of both, made anew. */
  clear(): Promise<void>;
}

export async function createPair(
  options: {
    readonly sourceMirrors?: number;
    readonly targetMirrors?: number;
    readonly settings?: Record<string, string>;
  } = {},
): Promise<Pair> {
  const { sourceMirrors = 1, targetMirrors = 0, settings = {} } = options;
  const source = await createCluster({ mirrors: sourceMirrors, settings });
  const target = await createCluster({ mirrors: targetMirrors });
  const from = openPool(source);
  const to = openPool(target);
  const both = async (...statements: string[]): Promise<void> => {
    for (const statement of statements) await Promise.all([from.query(statement), to.query(statement)]);
  };
  return {
    source,
    target,
    from,
    to,
    both,
    clear: async () => {
      await both("DROP SCHEMA public CASCADE", "CREATE SCHEMA public");
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([from.close({ timeoutMs: 0 }), to.close({ timeoutMs: 0 })]);
      await Promise.all([source.close(), target.close()]);
    },
  };
}

/** Everything in a table as one text, whatever the types. */
export async function contentOf(pool: FailoverPool, table: string): Promise<string> {
  const text = `SELECT count(*) || ':' || coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '') AS content FROM ${table} AS t`;
  const { rows } = await pool.query<{ content: string }>(text, [], { consistency: "strong" });
  return rows[0]?.content ?? "";
}
