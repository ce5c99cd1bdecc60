import type { PrismaClient } from "../generated/client.ts";

interface Line {
  readonly product: string;
  readonly orders: number;
  readonly sold: number;
  readonly left: number;
  readonly revenue: number;
}

/** What was sold of each product, and what is left. */
export async function report(prisma: PrismaClient): Promise<readonly Line[]> {
  const products = await prisma.product.findMany({ orderBy: { name: "asc" }, include: { orders: true } });
  return products.map(({ name, price, stock, orders }) => {
    const sold = orders.reduce((sum, { quantity }) => sum + quantity, 0);
    return { product: name, orders: orders.length, sold, left: stock, revenue: sold * price };
  });
}
