import type { DataSource } from "typeorm";
import { orders, products } from "./entities.ts";

export async function fillShelves(db: DataSource): Promise<void> {
  await db.getRepository(products).save([
    { name: "chair", price: 90, stock: 100 },
    { name: "desk", price: 250, stock: 20 },
    { name: "lamp", price: 40, stock: 500 },
  ]);
}

/** Takes the goods out of the stock and writes the order down: both, or neither. */
export async function placeOrder(
  db: DataSource,
  number: number,
  name: string,
  quantity: number,
): Promise<"placed" | "sold out"> {
  return db.transaction(async (manager) => {
    const product = await manager.findOneOrFail(products, { where: { name }, lock: { mode: "pessimistic_write" } });
    if (product.stock < quantity) return "sold out";
    product.stock -= quantity;
    await manager.save(products, product);
    await manager.save(orders, { number, product, quantity });
    return "placed";
  });
}
