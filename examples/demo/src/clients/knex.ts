import type { FailoverPool } from "@mirrorpool/core";
import { mirroredPostgres } from "@mirrorpool/knex";
import knex from "knex";
import type { Order, Shop } from "../shop.ts";

/** The application on Knex. */
export function openKnexShop(pool: FailoverPool): Shop {
  const db = knex({ client: mirroredPostgres(pool) });
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
