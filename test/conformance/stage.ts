import { createPool, type FailoverPool, type PoolOptions } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";
import { nodesOf, underWay } from "../failover/support/pool.ts";
import { until } from "../failover/support/until.ts";
import type { OpenSubject, Subject } from "./subject.ts";

/** A subject on a pool that the check can look into. */
export interface Scene extends AsyncDisposable {
  readonly subject: Subject;
  readonly pool: FailoverPool;
}

/** Where the checks of one file take place: one real cluster for all of them, and how a subject gets onto it. */
export class Stage {
  readonly #open: OpenSubject;
  readonly exactlyOnce: boolean;
  readonly #cluster: () => LabCluster;
  readonly #ids: () => number;

  constructor(open: OpenSubject, exactlyOnce: boolean, cluster: () => LabCluster, ids: () => number) {
    this.#open = open;
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
      driver: postgres(),
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
export async function bootCluster(): Promise<LabCluster> {
  const cluster = await createCluster({ mirrors: 2, synchronous: true });
  await using pool = createPool({ driver: postgres(), nodes: nodesOf(cluster) });
  await pool.query(pool.ledgerSchema());
  await pool.query(SCHEMA);
  await cluster.caughtUp();
  return cluster;
}

/** Also an ORM that has begun with what counts as a write has its reads on mirrors then, however far these are behind. */
export const EVENTUAL: Partial<PoolOptions> = { routing: { consistency: "eventual", maxLagMs: 3_600_000 } };

/** Waits until the subject holds no connection and has nothing waiting. */
export async function atRest(pool: FailoverPool): Promise<void> {
  await until("the pool to come to rest", () => underWay(pool) === 0);
}

/** From this id on there are {@link STREAM_ROWS} orders to stream. */
export const STREAM_FROM = 1_000_000;
export const STREAM_ROWS = 2_000;

/** An order whose insert waits at the gate, and one whose COMMIT does. See `gate.ts`. */
export const HELD = "held";
export const HELD_AT_COMMIT = "held at commit";

const SCHEMA = `
  CREATE TABLE orders (id int PRIMARY KEY, item text NOT NULL);
  CREATE TABLE samples (
    id int PRIMARY KEY, large bigint NOT NULL, exact numeric(30, 10) NOT NULL, moment timestamptz NOT NULL,
    document jsonb NOT NULL, bytes bytea NOT NULL, tags text[] NOT NULL
  );
  CREATE TABLE seats (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED);
  CREATE FUNCTION pass_gate() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NEW; END';
  CREATE TRIGGER held BEFORE INSERT ON orders FOR EACH ROW
    WHEN (NEW.item = '${HELD}') EXECUTE FUNCTION pass_gate();
  CREATE CONSTRAINT TRIGGER held_at_commit AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.item = '${HELD_AT_COMMIT}') EXECUTE FUNCTION pass_gate();
  INSERT INTO orders SELECT ${STREAM_FROM} + n, repeat('x', 100) FROM generate_series(0, ${STREAM_ROWS - 1}) AS n;
`;
