import { createPool } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";
import { mirroredPostgres } from "@mirrorpool/prisma";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { PrismaClient } from "./client/generated/client.ts";
import { failure, SCHEMA, until } from "./support/stage.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 1 });
  await using pool = createPool({ driver: postgres(), nodes: cluster.urls });
  await pool.query(SCHEMA);
  await cluster.caughtUp();
});
afterEach(() => vi.doUnmock("@prisma/adapter-pg"));
afterAll(() => cluster?.close());

/** Sessions of this application on all servers. */
async function sessions(applicationName: string): Promise<number> {
  const sql = "SELECT FROM pg_stat_activity WHERE application_name = $1";
  return (await Promise.all(cluster.nodes.map((node) => node.query(sql, [applicationName])))).flat().length;
}

const ended = (name: string): Promise<void> => until("the sessions to end", async () => (await sessions(name)) === 0);

test("a pool of its own is closed by $disconnect(), and made again by $connect() or by the next query", async () => {
  const applicationName = "own-pool";
  const prisma = new PrismaClient({
    adapter: mirroredPostgres({ nodes: cluster.urls, applicationName }),
  });
  await prisma.$connect();
  await until("the nodes to be watched", async () => (await sessions(applicationName)) > 0);
  for (let round = 0; round < 3; round += 1) {
    if (round === 1) await prisma.$connect();
    const { id } = await prisma.customer.create({ data: { email: `round ${round}` } });
    expect((await prisma.customer.findUnique({ where: { id } }))?.email).toBe(`round ${round}`);
    await prisma.$disconnect();
    await ended(applicationName);
  }
  await prisma.$disconnect();
});

test("$connect() waits for no server; a query does, and says what it found", async () => {
  const nodes = ["postgres://app:secret@127.0.0.1:1/postgres"];
  const adapter = mirroredPostgres({ nodes, timeouts: { failoverMs: 300 } });
  const prisma = new PrismaClient({ adapter });
  await prisma.$connect();
  const error = await failure(prisma.customer.count());
  expect(error).toMatchObject({ code: "P1001", meta: { driverAdapterError: { error: { code: "NO_NODE" } } } });
  await prisma.$disconnect();
});

test("several clients share one pool, which outlives them", async () => {
  const applicationName = "shared-pool";
  await using pool = createPool({ driver: postgres(), nodes: cluster.urls, applicationName });
  const [one, two] = [0, 1].map(() => new PrismaClient({ adapter: mirroredPostgres(pool) })) as [
    PrismaClient,
    PrismaClient,
  ];
  await Promise.all([one.customer.count(), two.customer.count()]);
  await one.$disconnect();
  await two.customer.create({ data: { email: "the other one" } });
  expect(await one.customer.count({ where: { email: "the other one" } })).toBe(1);
  await one.$disconnect();
  await two.$disconnect();
  expect((await pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  await pool.close();
  await ended(applicationName);
});

test("an open transaction is rolled back by $disconnect()", async () => {
  const applicationName = "open-transaction";
  const prisma = new PrismaClient({
    adapter: mirroredPostgres({ nodes: cluster.urls, applicationName }),
  });
  const cut = prisma.$transaction(async (tx) => {
    await tx.customer.create({ data: { email: "cut off" } });
    await prisma.$disconnect();
    await tx.customer.count();
  });
  expect(await failure(cut)).toMatchObject({ code: "P2028" });
  await prisma.$disconnect(); // the query after the first one has connected again
  await ended(applicationName);
  expect(await cluster.primary().query("SELECT FROM customers WHERE email = 'cut off'")).toEqual([]);
});

test("the options of PrismaPg are honoured", async () => {
  const names: string[] = [];
  const prisma = new PrismaClient({
    adapter: mirroredPostgres(
      { nodes: cluster.urls },
      {
        schema: "other",
        statementNameGenerator: ({ sql }) => {
          names.push(sql);
          return `statement_${names.length}`;
        },
      },
    ),
  });
  expect(await failure(prisma.customer.count())).toMatchObject({ code: "P2021" });
  expect(names.join()).toContain('"other"."customers"');
  await prisma.$disconnect();
});

test("the adapter of Prisma 6 works the same way", async () => {
  vi.resetModules();
  vi.doMock("@prisma/adapter-pg", () => import("@prisma/adapter-pg-6"));
  const { mirroredPostgres: mirrored } = await import("@mirrorpool/prisma");
  const adapter = await mirrored({ nodes: cluster.urls }).connect();
  const run = (target: Pick<typeof adapter, "queryRaw">, sql: string) =>
    target.queryRaw({ sql, args: [], argTypes: [] });
  const transaction = await adapter.startTransaction("SERIALIZABLE");
  expect((await run(transaction, "INSERT INTO customers (email) VALUES ('six') RETURNING email")).rows).toEqual([
    ["six"],
  ]);
  await transaction.executeRaw({ sql: "COMMIT", args: [], argTypes: [] });
  await transaction.commit();
  expect((await run(adapter, "SELECT count(*)::int FROM customers WHERE email = 'six'")).rows).toEqual([[1]]);
  await adapter.dispose();
});
