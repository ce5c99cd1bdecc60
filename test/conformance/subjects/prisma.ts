import type { Prisma, PrismaClient } from "../../../packages/prisma/test/client/generated/client.ts";
import type { Gaps } from "../gaps.ts";
import { NotSupported, type Order, type Scope, type Subject } from "../subject.ts";

/** What an application does with Prisma. */
export function prismaSubject(prisma: PrismaClient): Subject {
  return {
    ...statementsOf(prisma),
    // longer than a failover takes: Prisma's own limit would end the transaction before
    transaction: (work) => prisma.$transaction((inner) => work(scopeOf(inner)), { maxWait: 30_000, timeout: 60_000 }),
    roundTrip: async ({ id, large, exact, moment, document, bytes, tags }) => {
      const data = {
        id,
        large,
        exact,
        moment,
        document: document as Prisma.InputJsonValue, // plain values
        bytes: Buffer.from(bytes, "hex"),
        tags: [...tags],
      };
      await prisma.sample.create({ data });
      const row = await prisma.sample.findUnique({ where: { id } });
      if (row === null) return undefined;
      return { ...row, exact: row.exact.toFixed(), bytes: Buffer.from(row.bytes).toString("hex") };
    },
    stream: () => {
      throw new NotSupported("Prisma has no streams");
    },
    migrate: async () => {
      throw new NotSupported("Prisma migrates by a program of its own, on a connection of its own");
    },
    tables: async () => {
      throw new NotSupported("Prisma introspects by a program of its own, on a connection of its own");
    },
    giveUp: async () => {
      throw new NotSupported("Prisma cannot give a statement up");
    },
    close: () => prisma.$disconnect(),
  };
}

type Statements = Omit<Scope, "transaction">;

function statementsOf(prisma: Prisma.TransactionClient): Statements {
  return {
    insert: (order) => prisma.order.create({ data: order }),
    find: async (id): Promise<Order | undefined> => (await prisma.order.findUnique({ where: { id } })) ?? undefined,
    raw: (text) => prisma.$queryRawUnsafe<Record<string, unknown>[]>(text),
  };
}

function scopeOf(prisma: Prisma.TransactionClient): Scope {
  return {
    ...statementsOf(prisma),
    transaction: (work) => prisma.$transaction((inner) => work(scopeOf(inner))),
  };
}

/** What Prisma itself cannot do. */
export const prismaGaps: Gaps = {
  "streamed-reads": { why: "Prisma has no streams", fails: /has no streams/ },
  stream: { why: "Prisma has no streams", fails: /has no streams/ },
  "stream-break": { why: "Prisma has no streams", fails: /has no streams/ },
  "stream-loss": { why: "Prisma has no streams", fails: /STREAM_LOST/ },
  migrations: { why: "Prisma's migrations do not run through its adapter", fails: /a program of its own/ },
  introspection: { why: "Prisma's introspection does not run through its adapter", fails: /a program of its own/ },
  cancel: { why: "Prisma takes no signals", fails: /cannot give a statement up/ },
};
