import type { Kysely } from "kysely";
import type { Shop } from "./tables.ts";

export async function fillShelves(db: Kysely<Shop>): Promise<void> {
  await db
    .insertInto("products")
    .values([
      { name: "chair", price: 90, stock: 100 },
      { name: "desk", price: 250, stock: 20 },
      { name: "lamp", price: 40, stock: 500 },
    ])
    .execute();
}

/** Takes the goods out of the stock and writes the order down: both, or neither. */
export async function placeOrder(
  db: Kysely<Shop>,
  number: number,
  product: string,
  quantity: number,
): Promise<"placed" | "sold out"> {
  return db.transaction().execute(async (trx) => {
    const taken = await trx
      .updateTable("products")
      .set((row) => ({ stock: row("stock", "-", quantity) }))
      .where("name", "=", product)
      .where("stock", ">=", quantity)
      .executeTakeFirst();
    if (taken.numUpdatedRows === 0n) return "sold out";
    await trx.insertInto("orders").values({ number, product, quantity }).execute();
    return "placed";
  });
}
