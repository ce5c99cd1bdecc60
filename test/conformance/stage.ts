import { createPool, type FailoverPool, type PoolOptions } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { nodesOf, underWay } from "../failover/support/pool.ts";
import { until } from "../failover/support/until.ts";
import type { Database } from "./database.ts";
import type { OpenSubject, Subject } from "./subject.ts";

/** A subject on a pool that the check can look into. */
export interface Scene extends AsyncDisposable {
  readonly subject: Subject;
  readonly pool: FailoverPool;
}

/** Where the checks of one file take place: one real cluster for all of them, and how a subject gets onto it. */
export class Stage {
  readonly #open: OpenSubject;
  readonly database: Database;
  readonly exactlyOnce: boolean;
  readonly #cluster: () => LabCluster;
  readonly #ids: () => number;

  constructor(
    open: OpenSubject,
    database: Database,
    exactlyOnce: boolean,
    cluster: () => LabCluster,
    ids: () => number,
  ) {
    this.#open = open;
    this.database = database;
    this.exactlyOnce = exactlyOnce;
    this.#cluster = cluster;
    this.#ids = ids;
  }

  get cluster(): LabCluster {
    return this.#cluster();
  }

  /** An id that no other check uses. */
  newId(): number {
    return this.#ids();
  }

  /** A pool on the cluster, as an application makes it. A mirror may lag for as long as a check takes. */
  options(own: Partial<PoolOptions> = {}): PoolOptions {
    return {
      driver: this.database.driver(),
      nodes: nodesOf(this.cluster),
      exactlyOnce: this.exactlyOnce,
      routing: { maxLagMs: 3_600_000 },
      ...own,
    };
  }

  /** A subject alone on a new pool, which knows its nodes. Closed at the end, and nothing may be left under way then. */
  async open(own: Partial<PoolOptions> = {}): Promise<Scene> {
    const pool = createPool(this.options(own));
    try {
      await pool.start();
      const mirrors = this.cluster.mirrors().length;
      await until("the mirrors to be seen", () => {
        const { nodes } = pool.topology();
        return nodes.filter(({ role, status }) => role === "mirror" && status === "up").length >= mirrors;
      });
      const subject = await this.#open(pool);
      return {
        pool,
        subject,
        [Symbol.asyncDispose]: async () => {
          try {
            await subject.close();
            await atRest(pool);
          } finally {
            await pool.close();
          }
        },
      };
    } catch (error) {
      await pool.close();
      throw error;
    }
  }

  /** A subject that makes a pool of its own. */
  async openAlone(own: Partial<PoolOptions> = {}): Promise<Subject> {
    return this.#open(this.options(own));
  }
}

/** Boots the cluster and makes the tables of the checks, as the application's own role. */
export async function bootCluster({ server, settings, driver, schema }: Database): Promise<LabCluster> {
  const cluster = await createCluster({ server, settings, mirrors: 2, synchronous: true });
  await using pool = createPool({ driver: driver(), nodes: nodesOf(cluster) });
  for (const text of [pool.ledgerSchema(), ...schema]) await pool.query(text);
  await cluster.caughtUp();
  return cluster;
}

/** Also an ORM that has begun with what counts as a write has its reads on mirrors then, however far these are behind. */
export const EVENTUAL: Partial<PoolOptions> = { routing: { consistency: "eventual", maxLagMs: 3_600_000 } };

/** Waits until the subject holds no connection and has nothing waiting. */
export async function atRest(pool: FailoverPool): Promise<void> {
  await until("the pool to come to rest", () => underWay(pool) === 0);
}
