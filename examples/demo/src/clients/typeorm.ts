import type { FailoverPool } from "@mirrorpool/core";
import { mirroredPostgres } from "@mirrorpool/typeorm";
import { DataSource, EntitySchema } from "typeorm";
import type { Order, Shop } from "../shop.ts";

const orders = new EntitySchema<Order>({
  name: "orders",
  columns: { token: { type: "text", primary: true }, product: { type: "int" } },
});

const stock = new EntitySchema<{ readonly product: number; readonly sold: number }>({
  name: "stock",
  columns: { product: { type: "int", primary: true }, sold: { type: "bigint" } },
});

/** The application on TypeORM. */
export async function openTypeormShop(pool: FailoverPool): Promise<Shop> {
  const db = await new DataSource(mirroredPostgres({ type: "postgres", entities: [orders, stock] }, pool)).initialize();
  return {
    place: (order) => db.getRepository(orders).insert(order),
    find: (token) => db.getRepository(orders).findOneBy({ token }),
    sell: (order) =>
      db.transaction(async (manager) => {
        await manager.increment(stock, { product: order.product }, "sold", 1);
        await manager.insert(orders, order);
      }),
    close: () => db.destroy(),
  };
}
