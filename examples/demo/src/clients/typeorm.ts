import { DataSource, type DataSourceOptions, EntitySchema } from "typeorm";
import type { Order, Shop } from "../shop.ts";

const orders = new EntitySchema<Order>({
  name: "orders",
  columns: { token: { type: "varchar", primary: true }, product: { type: "int" } },
});

const stock = new EntitySchema<{ readonly product: number; readonly sold: number }>({
  name: "stock",
  columns: { product: { type: "int", primary: true }, sold: { type: "bigint" } },
});

export const entities: EntitySchema[] = [orders, stock];

/** The application on TypeORM. */
export async function openTypeormShop(options: DataSourceOptions): Promise<Shop> {
  const db = await new DataSource(options).initialize();
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
