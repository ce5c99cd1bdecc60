import type { PrismaClient } from "../generated/client.ts";

export async function fillShelves(prisma: PrismaClient): Promise<void> {
  await prisma.product.createMany({
    data: [
      { name: "chair", price: 90, stock: 100 },
      { name: "desk", price: 250, stock: 20 },
      { name: "lamp", price: 40, stock: 500 },
    ],
  });
}

/** Takes the goods out of the stock and writes the order down: both, or neither. */
export async function placeOrder(
  prisma: PrismaClient,
  number: number,
  productName: string,
  quantity: number,
): Promise<"placed" | "sold out"> {
  return prisma.$transaction(async (tx) => {
    const { count } = await tx.product.updateMany({
      where: { name: productName, stock: { gte: quantity } },
      data: { stock: { decrement: quantity } },
    });
    if (count === 0) return "sold out";
    await tx.order.create({ data: { number, productName, quantity } });
    return "placed";
  });
}
