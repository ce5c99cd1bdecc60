import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { mirroredMysql } from "@mirrorpool/prisma/mysql";
import { PrismaMariaDb } from "@prisma/adapter-mariadb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Prisma, PrismaClient } from "./client-mysql/generated/client.ts";
import { makeTables } from "./support/mysql.ts";
import { failure } from "./support/stage.ts";

/** Whatever an application may do with Prisma; both adapters must show it the same. */
type Script = (prisma: PrismaClient, log: (seen: unknown) => void) => Promise<unknown>;

const kinds: readonly Prisma.KindCreateInput[] = [
  {
    ...{ flag: true, tiny: -128, small: 32_767, medium: -8_388_608, unsigned: 2_147_483_647 },
    ...{ large: 18_446_744_073_709_551_615n, single: 0.5, double: 0.1, exact: "12345678901234567890.0123456789" },
    ...{ day: new Date("2026-02-28"), time: new Date("1970-01-01T23:59:59.987Z"), year: 2026, bit: true },
    ...{ moment: new Date("2026-02-28T23:59:59.987Z"), stamp: new Date("2026-07-01T00:30:00.001Z") },
    ...{ bits: Buffer.from([0x0a, 0xbc]), fixed: "four", long: "größer\0'\\\n".repeat(1000), shade: "dark" },
    document: { nested: [1, "zwei", null, true, { deep: "größer" }], quote: 'it\'s \\ "so"', large: 2 ** 53 },
    ...{ binary: Buffer.from("00ff0a5c27", "hex"), blob: Buffer.alloc(70_000, 7), nothing: "not" },
  },
  {
    ...{
      flag: false,
      tiny: 0,
      small: 0,
      medium: 0,
      unsigned: 0,
      large: 0n,
      single: -1e-10,
      double: 1e300,
      exact: "-0.5",
    },
    ...{ day: new Date("1000-01-01"), time: new Date("1970-01-01T00:00:00.000Z"), year: 1901, bit: false },
    ...{ moment: new Date("1000-01-01T00:00:00.000Z"), stamp: new Date("1970-01-02T00:00:00.000Z") },
    ...{ bits: Buffer.from([0, 0]), fixed: "", long: "", shade: "light", document: "text", binary: Buffer.alloc(0) },
    ...{ blob: Buffer.alloc(0), nothing: null },
  },
];

const scripts: Readonly<Record<string, Script>> = {
  "values of every type": async (prisma, log) => {
    for (const data of kinds) log(await prisma.kind.create({ data }));
    log(await prisma.kind.findMany({ orderBy: { id: "asc" } }));
    log(await prisma.kind.findMany({ where: { moment: kinds[0]?.moment as Date, large: { gt: 5n } } }));
    log(await prisma.$queryRaw`SELECT * FROM kinds ORDER BY id`);
    log(
      await prisma.kind.aggregate({
        _sum: { exact: true, unsigned: true },
        _avg: { small: true },
        _max: { day: true },
      }),
    );
  },
  "what raw SQL gives": async (prisma, log) => {
    log(
      await prisma.$queryRaw`SELECT 1 AS i, 9007199254740993 AS l, 1.50 AS d, 1e3 AS f, NULL AS n, 'x' AS s, TRUE AS t`,
    );
    log(
      await prisma.$queryRaw`SELECT TIMESTAMP '2026-01-02 03:04:05.678' AS t, DATE '2026-01-02' AS d, TIME '03:04:05' AS u`,
    );
    log(await prisma.$queryRaw`SELECT x'00ff' AS b, JSON_OBJECT('a', 1) AS j, count(*) AS c FROM kinds`);
    log(await prisma.$queryRaw`SELECT ${1} AS a, ${"b"} AS b, ${12n} AS c, ${new Date(0)} AS d, ${true} AS e`);
    log(await prisma.$executeRaw`INSERT INTO customers (email) VALUES (${"a"}), (${"b"})`);
    log(await prisma.$executeRaw`UPDATE customers SET email = email`);
    log(await prisma.$queryRawUnsafe("SELECT email FROM customers WHERE email = ?", "b"));
    log(await prisma.$executeRaw`DELETE FROM customers WHERE email = ${"none"}`);
  },
  "integers that a double cannot hold": async (prisma, log) => {
    const [kind] = kinds as [Prisma.KindCreateInput];
    await prisma.kind.create({ data: { ...kind, large: 2n ** 63n } });
    log(await prisma.kind.updateMany({ data: { large: { increment: 1n } } }));
    log(await prisma.kind.updateMany({ data: { large: { decrement: 2n } }, where: { large: 2n ** 63n + 1n } }));
    log(await prisma.$executeRaw`UPDATE kinds SET large = large - ${1n} + ${3}`);
    log(await prisma.kind.findMany({ select: { large: true } }));
    log(await prisma.$queryRaw`SELECT 9007199254740993 + ${-1} AS a, ${-(2n ** 63n)} AS b, ${2n ** 64n - 1n} AS c`);
  },
  relations: async (prisma, log) => {
    const invoices = { create: [{ amount: 10 }, { amount: 20 }] };
    log(await prisma.customer.create({ data: { email: "ann", invoices }, include: { invoices: true } }));
    log(await prisma.customer.upsert({ where: { email: "ann" }, create: { email: "x" }, update: { email: "bob" } }));
    log(await prisma.customer.upsert({ where: { email: "new" }, create: { email: "new" }, update: { email: "old" } }));
    log(await prisma.invoice.findMany({ include: { customer: true }, orderBy: { amount: "desc" } }));
    log(await prisma.customer.createMany({ data: [{ email: "p" }, { email: "bob" }], skipDuplicates: true }));
    log(await prisma.invoice.updateMany({ data: { amount: { increment: 5 } } }));
    log(await prisma.invoice.groupBy({ by: ["customerId"], _sum: { amount: true }, _count: true }));
    log(await prisma.invoice.deleteMany());
    log(await prisma.customer.delete({ where: { email: "p" } }));
  },
  transactions: async (prisma, log) => {
    log(
      await prisma.$transaction([
        prisma.customer.create({ data: { email: "one" } }),
        prisma.customer.updateMany({ data: { email: "two" } }),
        prisma.customer.count(),
      ]),
    );
    const undone = prisma.$transaction(async (tx) => {
      log(await tx.customer.create({ data: { email: "three" } }));
      throw new Error("changed my mind");
    });
    log(await failure(undone));
    const level = { isolationLevel: "Serializable" } as const;
    log(
      await prisma.$transaction(async (tx) => {
        const inner = tx.$transaction(async (nested) => {
          await nested.customer.create({ data: { email: "four" } });
          await nested.customer.create({ data: { email: "two" } });
        });
        log(await failure(inner));
        return tx.customer.findMany({ select: { email: true } });
      }, level),
    );
    log(await failure(prisma.$transaction(async (tx) => void (await tx.$queryRaw`SELECT SLEEP(1)`), { timeout: 200 })));
  },
  errors: async (prisma, log) => {
    await prisma.customer.create({ data: { id: 1, email: "a" } });
    const [kind] = kinds as [Prisma.KindCreateInput];
    log(await failure(prisma.customer.create({ data: { email: "a" } })));
    log(await failure(prisma.invoice.create({ data: { amount: 1, customerId: 99 } })));
    log(await failure(prisma.customer.update({ where: { id: 5 }, data: { email: "b" } })));
    log(await failure(prisma.customer.create({ data: { email: "x".repeat(200) } })));
    log(await failure(prisma.kind.create({ data: { ...kind, small: 70_000 } })));
    log(await failure(prisma.$queryRaw`SELECT * FROM nowhere`));
    log(await failure(prisma.$queryRaw`SELEC 1`));
    log(await failure(prisma.$executeRaw`INSERT INTO customers (email) VALUES (NULL)`));
  },
};

/** What an application can see of an answer. Where its code stands is no part of it. */
function show(seen: unknown): unknown {
  if (!(seen instanceof Error)) return seen;
  const { name, message, code, meta } = seen as Error & { code?: string; meta?: unknown };
  const shown = { name, message: message.split("\n").at(-1), code, meta };
  return JSON.parse(
    JSON.stringify(shown).replaceAll(/"timeTaken":\d+|\d+ ms passed/g, (text) => text.replace(/\d+/, "0")),
  );
}

describe.each(["mariadb", "mysql"] as const)("on %s", (server) => {
  let cluster: LabCluster;

  beforeAll(async () => {
    cluster = await createCluster({ server, mirrors: 0 });
    await makeTables(cluster);
  });
  afterAll(() => cluster?.close());

  async function observe(prisma: PrismaClient, script: Script): Promise<readonly unknown[]> {
    for (const table of ["invoices", "customers", "kinds"]) {
      await cluster.primary().query(`DELETE FROM app.${table}`);
      await cluster.primary().query(`ALTER TABLE app.${table} AUTO_INCREMENT = 1`);
    }
    const seen: unknown[] = [];
    try {
      await script(prisma, (value) => void seen.push(show(value)));
    } finally {
      await prisma.$disconnect();
    }
    return seen;
  }

  test.each(Object.entries(scripts))(
    "the application sees the same as with Prisma's own adapter: %s",
    async (_, script) => {
      const { url, host = "127.0.0.1" } = { url: new URL(cluster.primary().url), host: undefined };
      const plain = new PrismaMariaDb({
        ...{
          host,
          port: Number(url.port),
          user: url.username,
          password: url.password,
          database: url.pathname.slice(1),
        },
        allowPublicKeyRetrieval: true,
      });
      const original = await observe(new PrismaClient({ adapter: plain }), script);
      const mirrored = await observe(new PrismaClient({ adapter: mirroredMysql({ nodes: cluster.urls }) }), script);
      expect(original.length).toBeGreaterThan(0);
      expect(mirrored).toEqual(original);
    },
  );
});
