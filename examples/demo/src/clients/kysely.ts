import { type Dialect, Kysely } from "kysely";
import type { Order, Shop } from "../shop.ts";

interface Tables {
  readonly orders: Order;
  readonly stock: { readonly product: number; readonly sold: number };
}

/** The application on Kysely. */
export function openKyselyShop(dialect: Dialect): Shop {
  const db = new Kysely<Tables>({ dialect });
  return {
    place: (order) => db.insertInto("orders").values(order).execute(),
    find: (token) => db.selectFrom("orders").selectAll().where("token", "=", token).executeTakeFirst(),
    sell: (order) =>
      db.transaction().execute(async (trx) => {
        await trx
          .updateTable("stock")
          .set((row) => ({ sold: row("sold", "+", 1) }))
          .where("product", "=", order.product)
          .execute();
        await trx.insertInto("orders").values(order).execute();
      }),
    close: () => db.destroy(),
  };
}
