import type { FailoverPool } from "@mirrorpool/core";
import { mirroredPostgres } from "@mirrorpool/prisma";
import { PrismaClient } from "../../generated/client.ts";
import type { Shop } from "../shop.ts";

/** The application on Prisma. */
export function openPrismaShop(pool: FailoverPool, schema: string): Shop {
  const prisma = new PrismaClient({
    adapter: mirroredPostgres(pool, { schema }),
    // Prisma ends an interactive transaction after 5 seconds: a failover may take longer
    transactionOptions: { maxWait: 30_000, timeout: 30_000 },
  });
  return {
    place: (order) => prisma.order.create({ data: order }),
    find: (token) => prisma.order.findUnique({ where: { token } }),
    sell: (order) =>
      prisma.$transaction(async (tx) => {
        await tx.stock.updateMany({ where: { product: order.product }, data: { sold: { increment: 1 } } });
        await tx.order.create({ data: order });
      }),
    close: () => prisma.$disconnect(),
  };
}
