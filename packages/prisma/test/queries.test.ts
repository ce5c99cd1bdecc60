import type { FailoverPool } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { PrismaClient } from "./client/generated/client.ts";
import { failure, inUse, open, SCHEMA, type Scene, until } from "./support/stage.ts";

let cluster: LabCluster;
let scene: Scene;
let prisma: PrismaClient;
let pool: FailoverPool;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 1 });
  scene = open(cluster, { pool: { max: 2 } });
  ({ prisma, pool } = scene);
  await pool.query(SCHEMA);
});
beforeEach(() => pool.query("TRUNCATE customers, invoices RESTART IDENTITY"));
afterAll(async () => {
  await scene?.[Symbol.asyncDispose]();
  await cluster?.close();
});

const ann = { email: "ann@example.com", invoices: { create: [{ amount: 10 }, { amount: 20 }] } };

describe("relations", () => {
  test("a nested write is one transaction", async () => {
    const customer = await prisma.customer.create({ data: ann, include: { invoices: true } });
    expect(customer.invoices.map(({ amount }) => amount)).toEqual([10, 20]);
    const again = { email: "bob@example.com", invoices: { create: { amount: 30, id: 1 } } };
    await failure(prisma.customer.create({ data: again })); // the invoice's key is taken
    expect(await prisma.customer.count()).toBe(1);
    expect(inUse(pool)).toBe(0);
  });

  test.each(["join", "query"] as const)("relations are read by the strategy %s", async (relationLoadStrategy) => {
    await prisma.customer.create({ data: ann });
    const before = pool.stats().reads;
    const customers = await prisma.customer.findMany({ relationLoadStrategy, include: { invoices: true } });
    expect(customers).toMatchObject([{ email: ann.email, invoices: [{ amount: 10 }, { amount: 20 }] }]);
    expect(pool.stats().reads - before).toBe(relationLoadStrategy === "join" ? 1 : 2);
  });
});

describe("a batch", () => {
  test("is one transaction, and each part has its answer", async () => {
    const [made, changed, count] = await prisma.$transaction(
      [
        prisma.customer.create({ data: ann }),
        prisma.customer.updateMany({ data: { email: "ann@example.org" } }),
        prisma.invoice.count(),
      ],
      { isolationLevel: "Serializable" },
    );
    expect([made.email, changed.count, count]).toEqual([ann.email, 1, 2]);
  });

  test("is undone as a whole", async () => {
    const { email } = ann;
    const failed = prisma.$transaction([
      prisma.customer.create({ data: { email } }),
      prisma.customer.create({ data: { email } }),
    ]);
    expect(await failure(failed)).toMatchObject({ code: "P2002" });
    expect(await prisma.customer.count()).toBe(0);
    expect(inUse(pool)).toBe(0);
  });
});

describe("an interactive transaction", () => {
  test("has the isolation level that was asked for", async () => {
    const levels = await prisma.$transaction((tx) => tx.$queryRaw`SHOW transaction_isolation`, {
      isolationLevel: "RepeatableRead",
    });
    expect(levels).toEqual([{ transaction_isolation: "repeatable read" }]);
  });

  test("undoes each of its savepoints alone", async () => {
    const add = (tx: Pick<PrismaClient, "customer">, email: string): Promise<unknown> =>
      tx.customer.create({ data: { email } });
    await prisma.$transaction(async (tx) => {
      await add(tx, "outer");
      await tx.$transaction(async (middle) => {
        await add(middle, "middle");
        const inner = middle.$transaction(async (innermost) => {
          await add(innermost, "innermost");
          await add(innermost, "outer");
        });
        expect(await failure(inner)).toMatchObject({ code: "P2002" });
        await add(middle, "after");
      });
    });
    const customers = await prisma.customer.findMany({ orderBy: { id: "asc" } });
    expect(customers.map(({ email }) => email)).toEqual(["outer", "middle", "after"]);
  });

  test("runs the statements that are given at once one after the other", async () => {
    await prisma.$transaction((tx) =>
      Promise.all(["a", "b", "c", "d"].map((email) => tx.customer.create({ data: { email } }))),
    );
    expect(await prisma.customer.count()).toBe(4);
  });

  test("that takes longer than its timeout is rolled back, and gives its connection back", async () => {
    const late = prisma.$transaction(
      async (tx) => {
        await tx.customer.create({ data: { email: "late" } });
        await until("Prisma to end the transaction", () => inUse(pool) === 0);
        await tx.customer.count();
      },
      { timeout: 300 },
    );
    expect(await failure(late)).toMatchObject({ code: "P2028" });
    expect(await prisma.customer.count()).toBe(0);
  });

  test("that gets no connection within maxWait is not begun, and leaves nothing behind", async () => {
    await using small = open(cluster, { pool: { max: 1, warm: 0 } });
    await small.prisma.$transaction(async (tx) => {
      await tx.customer.create({ data: { email: "first" } });
      const second = small.prisma.$transaction((other) => other.customer.count(), { maxWait: 200 });
      expect(await failure(second)).toMatchObject({ code: "P2028" });
    });
    await until("the connection to be free", () => inUse(small.pool) === 0);
    expect(await small.prisma.customer.count()).toBe(1);
  });
});

describe("raw SQL", () => {
  test("takes values, and gives rows and counts", async () => {
    expect(await prisma.$executeRaw`INSERT INTO customers (email) VALUES (${"x"}), (${"y"})`).toBe(2);
    expect(await prisma.$queryRaw`SELECT email FROM customers WHERE email = ${"y"}`).toEqual([{ email: "y" }]);
    expect(await prisma.$executeRawUnsafe("DELETE FROM customers WHERE email = $1", "x")).toBe(1);
  });

  test("has the database's code in its errors", async () => {
    const error = await failure(prisma.$queryRaw`SELECT * FROM nowhere`);
    expect(error).toMatchObject({ code: "P2010", message: expect.stringContaining("42P01") });
  });

  test("of transaction control outside a transaction is refused: the next statement would be elsewhere", async () => {
    expect(await failure(prisma.$executeRaw`BEGIN`)).toMatchObject({ code: "SESSION_REQUIRED" });
    expect(inUse(pool)).toBe(0);
  });
});
