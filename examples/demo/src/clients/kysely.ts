import type { FailoverPool } from "@mirrorpool/core";
import { mirroredPostgres } from "@mirrorpool/kysely";
import { Kysely } from "kysely";
import type { Order, Shop } from "../shop.ts";

interface Tables {
  readonly orders: Order;
  readonly stock: { readonly product: number; readonly sold: number };
}

/** The application on Kysely. */
export function openKyselyShop(pool: FailoverPool): Shop {
  const db = new Kysely<Tables>({ dialect: mirroredPostgres(pool) });
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
