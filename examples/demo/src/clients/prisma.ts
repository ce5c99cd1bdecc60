import type { PrismaClient } from "../../generated/client.ts";
import type { Shop } from "../shop.ts";

/** Prisma ends an interactive transaction after 5 seconds: a failover may take longer. */
export const transactionOptions = { maxWait: 30_000, timeout: 30_000 } as const;

/** The application on Prisma. */
export function openPrismaShop(prisma: PrismaClient): Shop {
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
