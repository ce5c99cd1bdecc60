import { createPool as createGenericPool } from "generic-pool";
import { createPool as createLightningPool } from "lightning-pool";
import PgPool from "pg-pool";
import { Pool as TarnPool } from "tarn";
import { systemEnvironment } from "../../../src/clock.ts";
import { Cluster } from "../../../src/cluster.ts";
import { resolveConfig } from "../../../src/config/resolve.ts";
import { createFailoverPool } from "../../../src/failover-pool.ts";
import type { NodePool } from "../../../src/pool/node-pool.ts";
import { acquire as acquireRouted } from "../../../src/session/acquire.ts";
import { stubDriver } from "../stub/driver.ts";
import { StubPgClient } from "../stub/pg-client.ts";
import type { Cell, ClientHere, OpenSuite, Suite } from "../suite.ts";

const MAX = 10;
const TIMEOUT_MS = 10_000;
const CONCURRENCIES = [1, 10, 100];
const BORROW = "acquire + release";
const STATEMENT = "one statement";
const REFERENCE = "generic-pool, timeout";
const STATEMENT_REFERENCE = "pg-pool, timeout";

/** A client, and how to close what it holds. */
interface Opened extends ClientHere {
  close(): Promise<unknown>;
}

/** What the pools hold; a caller touches it, as it would a connection. */
interface Resource {
  readonly weight: number;
}

const factory = {
  create: async (): Promise<Resource> => ({ weight: 1 }),
  destroy: async (): Promise<void> => {},
};

function genericPool(name: string, timeout: { acquireTimeoutMillis?: number }): Opened {
  const pool = createGenericPool(factory, { max: MAX, ...timeout });
  return {
    name,
    async operation() {
      const resource = await pool.acquire();
      const { weight } = resource;
      void pool.release(resource);
      return weight;
    },
    close: () => pool.drain().then(() => pool.clear()),
  };
}

function tarn(): Opened {
  const pool = new TarnPool<Resource>({ ...factory, min: 0, max: MAX, acquireTimeoutMillis: TIMEOUT_MS });
  return {
    name: "tarn, timeout",
    async operation() {
      const resource = await pool.acquire().promise;
      const { weight } = resource;
      pool.release(resource);
      return weight;
    },
    close: () => pool.destroy(),
  };
}

function lightningPool(): Opened {
  const pool = createLightningPool<Resource>(factory, { max: MAX, maxQueue: 1000, acquireTimeoutMillis: TIMEOUT_MS });
  return {
    name: "lightning-pool, timeout",
    async operation() {
      const resource = await pool.acquire();
      const { weight } = resource;
      pool.release(resource);
      return weight;
    },
    close: () => pool.closeAsync(true),
  };
}

const createPgPool = (): PgPool<StubPgClient> =>
  new PgPool({ Client: StubPgClient, max: MAX, connectionTimeoutMillis: TIMEOUT_MS });

function pgPoolBorrow(): Opened {
  const pool = createPgPool();
  return {
    name: STATEMENT_REFERENCE,
    async operation() {
      const client = await pool.connect();
      const weight = client._queryable ? 1 : 0;
      client.release();
      return weight;
    },
    close: () => pool.end(),
  };
}

function pgPoolStatement(): Opened {
  const pool = createPgPool();
  return {
    name: STATEMENT_REFERENCE,
    operation: async () => one(await pool.query("SELECT 1")),
    close: () => pool.end(),
  };
}

/** A whole pool with everything on, on one node whose connections answer at once. */
async function openCluster(): Promise<Cluster> {
  const config = resolveConfig({
    driver: stubDriver,
    nodes: [{ name: "one", host: "stub" }],
    pool: { max: MAX },
    timeouts: { acquireMs: TIMEOUT_MS },
  });
  const cluster = new Cluster(config, systemEnvironment);
  await createFailoverPool(cluster).start();
  return cluster;
}

/** The pool of one node alone: a call with its deadline, the connection on loan, and its way back. */
async function nodePool(): Promise<Opened> {
  const cluster = await openCluster();
  const { context } = cluster;
  const pool = context.pools.get("one") as NodePool; // the node's name
  return {
    name: "mirrorpool",
    async operation() {
      const lease = await pool.acquire(context.createCall(undefined, undefined));
      const weight = lease.connection.status === "idle" ? 1 : 0;
      lease.release();
      return weight;
    },
    close: () => cluster.close(0),
  };
}

/** The same with the routing in front, as every statement does it. */
async function routed(): Promise<Opened> {
  const cluster = await openCluster();
  const { context } = cluster;
  const demand = { intent: "read", freshAfter: Number.NEGATIVE_INFINITY } as const;
  return {
    name: "mirrorpool, routed",
    async operation() {
      const lease = await acquireRouted(context, demand, context.createCall(undefined, undefined));
      const weight = lease.connection.status === "idle" ? 1 : 0;
      lease.release();
      return weight;
    },
    close: () => cluster.close(0),
  };
}

async function statement(): Promise<Opened> {
  const cluster = await openCluster();
  const pool = createFailoverPool(cluster);
  return {
    name: "mirrorpool, query()",
    operation: async () => one(await pool.query<{ readonly one: number }>("SELECT 1")),
    close: () => pool.close(),
  };
}

async function session(): Promise<Opened> {
  const cluster = await openCluster();
  const pool = createFailoverPool(cluster);
  return {
    name: "mirrorpool, connect()",
    async operation() {
      const session = await pool.connect();
      const result = await session.query<{ readonly one: number }>("SELECT 1");
      session.release();
      return one(result);
    },
    close: () => pool.close(),
  };
}

const one = (result: { readonly rows: readonly { readonly one: number }[] }): number =>
  result.rows[0]?.one ?? Number.NaN;

async function open(): Promise<OpenSuite> {
  const cells: Cell[] = [];
  const opened: Opened[] = [];
  for (const concurrency of CONCURRENCIES) {
    const borrowing = [
      await nodePool(),
      await routed(),
      genericPool(REFERENCE, { acquireTimeoutMillis: TIMEOUT_MS }),
      genericPool("generic-pool", {}),
      tarn(),
      lightningPool(),
      pgPoolBorrow(),
    ];
    const running = [await statement(), await session(), pgPoolStatement()];
    opened.push(...borrowing, ...running);
    cells.push({ work: BORROW, concurrency, clients: borrowing, reference: REFERENCE });
    cells.push({ work: STATEMENT, concurrency, clients: running, reference: STATEMENT_REFERENCE });
  }
  cells.sort((a, b) => a.work.localeCompare(b.work) || a.concurrency - b.concurrency);
  return {
    cells,
    [Symbol.asyncDispose]: async () => {
      for (const client of opened) await client.close();
    },
  };
}

/** What the pool itself costs, on connections that answer at once: no network, no server. */
export const acquire: Suite = {
  name: "acquire",
  title: `what the pool itself costs, ${MAX} stub connections`,
  pace: "bursts",
  targets: () => [{ client: "mirrorpool", work: BORROW, ratio: 1.25 }],
  open,
};
