import { errorCodes, MirrorpoolError, type PoolOptions } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { toDriverAdapterError } from "../src/driver-adapter-error.ts";
import type { PrismaClient } from "./client/generated/client.ts";
import { failure, HELD_AT_COMMIT, open, SCHEMA, type Scene, until } from "./support/stage.ts";

describe("an error of the pool", () => {
  const certain = new Set([
    ...["NO_PRIMARY", "NO_NODE", "SPLIT_BRAIN", "DEADLINE", "READ_LOST"],
    ...["TRANSACTION_LOST", "REPLAY_MISMATCH", "ACQUIRE_TIMEOUT", "QUEUE_FULL"],
  ]);

  test.each(Object.keys(errorCodes) as (keyof typeof errorCodes)[])(
    "%s becomes one of Prisma's only if it certainly had no effect",
    (code) => {
      const error = new MirrorpoolError(code, "what failed");
      const given = toDriverAdapterError(error);
      if (!certain.has(code)) expect(given).toBe(error);
      else expect(given).toMatchObject({ name: "DriverAdapterError", error, cause: { originalCode: code } });
    },
  );

  test("is left alone when it is not the pool's", () => {
    const error = new TypeError("of somebody else");
    expect(toDriverAdapterError(error)).toBe(error);
  });
});

describe("on servers", () => {
  let cluster: LabCluster;
  let scene: Scene | undefined;
  const use = (own: Partial<PoolOptions> = {}): PrismaClient => {
    scene = open(cluster, own);
    return scene.prisma;
  };

  beforeAll(async () => {
    cluster = await createCluster({ mirrors: 1, synchronous: true });
    await using setUp = open(cluster);
    await setUp.pool.query(SCHEMA);
  });
  beforeEach(() => cluster.primary().query("TRUNCATE customers, invoices"));
  afterEach(async () => {
    await scene?.[Symbol.asyncDispose]();
    scene = undefined;
    for (const node of cluster.nodes) if (!node.isRunning) await node.start();
  });
  afterAll(() => cluster?.close());

  test("a unique violation is P2002, with the model and the constraint", async () => {
    const prisma = use();
    await prisma.customer.create({ data: { email: "a" } });
    const error = await failure(prisma.customer.create({ data: { email: "a" } }));
    expect(error).toMatchObject({ code: "P2002", meta: { modelName: "Customer" } });
  });

  test("a write conflict is P2034", async () => {
    const prisma = use();
    const { id } = await prisma.customer.create({ data: { email: "a" } });
    const conflict = prisma.$transaction(
      async (tx) => {
        await tx.customer.findUnique({ where: { id } });
        await prisma.customer.update({ where: { id }, data: { email: "b" } });
        await tx.customer.update({ where: { id }, data: { email: "c" } });
      },
      { isolationLevel: "RepeatableRead" },
    );
    expect(await failure(conflict)).toMatchObject({ code: "P2034" });
  });

  test("when all connections are held it is P2037, with the pool's own error", async () => {
    const prisma = use({ pool: { max: 1, warm: 0 }, timeouts: { acquireMs: 2000 } });
    await prisma.$transaction(async (tx) => {
      await tx.customer.count();
      const error = await failure(prisma.customer.create({ data: { email: "a" } }));
      expect(error).toMatchObject({
        code: "P2037",
        message: expect.stringContaining("no free connection"),
        meta: { driverAdapterError: { error: { code: "ACQUIRE_TIMEOUT", retryable: true } } },
      });
    });
  });

  test("a statement that takes longer than the pool allows is P1008", async () => {
    const prisma = use({ timeouts: { statementMs: 3000 }, routing: { readFrom: "primary" } });
    await prisma.$transaction(async (tx) => {
      await tx.$executeRaw`LOCK TABLE customers`;
      expect(await failure(prisma.customer.count())).toMatchObject({ code: "P1008" });
    });
  });

  test("without any node it is P1001, for reads and writes", async () => {
    const prisma = use({ timeouts: { failoverMs: 5000 } });
    await prisma.customer.count();
    for (const node of cluster.nodes) await node.kill();
    expect(await failure(prisma.customer.count())).toMatchObject({ code: "P1001" });
    expect(await failure(prisma.customer.create({ data: { email: "a" } }))).toMatchObject({ code: "P1001" });
  });

  describe("a transaction that certainly had no effect is P2034, what applications run again", () => {
    const restart = async (): Promise<void> => {
      await cluster.primary().kill();
      await cluster.primary().start();
    };
    const add = (tx: Pick<PrismaClient, "customer">, email: string): Promise<unknown> =>
      tx.customer.create({ data: { email } });

    test.each<[string, (tx: Pick<PrismaClient, "customer">) => Promise<unknown>]>([
      ["in a statement", (tx) => restart().then(() => add(tx, "b"))],
      ["at COMMIT", restart],
    ])("when it is lost %s", async (_, next) => {
      const prisma = use({ replay: { maxStatements: 0 } });
      const lost = prisma.$transaction(
        async (tx) => {
          await add(tx, "a");
          await next(tx);
        },
        { timeout: 60_000 },
      );
      const error = await failure(lost);
      const inner = { error: { code: "TRANSACTION_LOST" } };
      expect(error).toMatchObject({ code: "P2034", meta: { driverAdapterError: inner } });
      expect(JSON.stringify(error)).toContain("TRANSACTION_LOST"); // loggers do that
      expect(await prisma.customer.count()).toBe(0);
    });
  });

  const data = { email: HELD_AT_COMMIT, invoices: { create: { amount: 1 } } };
  test.each<[string, (prisma: PrismaClient) => Promise<unknown>]>([
    ["single write", (prisma) => prisma.customer.create({ data: { email: HELD_AT_COMMIT } })],
    ["raw write", (prisma) => prisma.$executeRaw`INSERT INTO customers (email) VALUES (${HELD_AT_COMMIT})`],
    ["nested write", (prisma) => prisma.customer.create({ data })],
    ["batch", (prisma) => prisma.$transaction([prisma.customer.create({ data }), prisma.customer.count()])],
    ["interactive transaction", (prisma) => prisma.$transaction((tx) => tx.customer.create({ data }))],
  ])("a %s of unknown fate says so, by a code that Prisma does not have", async (_, write) => {
    const prisma = use();
    const done = failure(write(prisma));
    await until("the COMMIT to be under way", async () => {
      const sql = "SELECT FROM pg_stat_activity WHERE usename = 'app' AND wait_event = 'PgSleep'";
      return (await cluster.primary().query(sql)).length > 0;
    });
    await cluster.primary().kill();
    const error = await done;
    expect(error).toMatchObject({ code: "COMMIT_UNKNOWN" });
    expect(error.message).toContain("it may or may not have happened");
  });
});
