import { setTimeout as sleep } from "node:timers/promises";
import { createPool, type FailoverPool, type PoolOptions } from "@mirrorpool/core";
import type { LabCluster } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";
import { mirroredPostgres } from "@mirrorpool/prisma";
import { PrismaClient } from "../client/generated/client.ts";

/** A customer with this address is committed when its server is killed, and not before. */
export const HELD_AT_COMMIT = "held@commit.example";

/** The tables of the schema, and a COMMIT that hangs. */
export const SCHEMA: string = `
  CREATE TABLE customers (id serial PRIMARY KEY, email text NOT NULL UNIQUE);
  CREATE TABLE invoices (
    id serial PRIMARY KEY, amount int NOT NULL, customer_id int NOT NULL REFERENCES customers
  );
  CREATE FUNCTION hang() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(300); RETURN NEW; END';
  CREATE CONSTRAINT TRIGGER held_at_commit AFTER INSERT ON customers DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.email = '${HELD_AT_COMMIT}') EXECUTE FUNCTION hang();
`;

export interface Scene extends AsyncDisposable {
  readonly prisma: PrismaClient;
  readonly pool: FailoverPool;
}

/** A client on a pool that the test can look into. */
export function open(cluster: LabCluster, own: Partial<PoolOptions> = {}): Scene {
  const pool = createPool({ driver: postgres(), nodes: cluster.urls, ...own });
  const adapter = mirroredPostgres(pool);
  // Prisma's own limits are for a machine that is not busy
  const prisma = new PrismaClient({ adapter, transactionOptions: { maxWait: 30_000, timeout: 30_000 } });
  return {
    pool,
    prisma,
    [Symbol.asyncDispose]: async () => {
      await prisma.$disconnect();
      await pool.close();
    },
  };
}

/** Waits for something that happens a moment later. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`waited 30 seconds for ${what}`);
    await sleep(20);
  }
}

/** Connections that are in use. */
export const inUse = (pool: FailoverPool): number =>
  Object.values(pool.stats().nodes).reduce((sum, node) => sum + node.inUse, 0);

/** The error that a promise ends with. */
export async function failure(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error("not rejected with an error", { cause: error });
  }
  throw new Error("not rejected");
}
