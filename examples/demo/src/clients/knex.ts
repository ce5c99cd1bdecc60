import knex, { type Knex } from "knex";
import type { Order, Shop } from "../shop.ts";

/** The application on Knex. */
export function openKnexShop(config: Knex.Config): Shop {
  const db = knex(config);
  return {
    place: (order) => db<Order>("orders").insert(order),
    find: (token) => db<Order>("orders").where({ token }).first("token", "product"),
    sell: (order) =>
      db.transaction(async (trx) => {
        await trx("stock").where({ product: order.product }).increment("sold", 1);
        await trx<Order>("orders").insert(order);
      }),
    close: () => db.destroy(),
  };
}
