import type { Knex } from "knex";

export async function fillShelves(db: Knex): Promise<void> {
  await db("products").insert([
    { name: "chair", price: 90, stock: 100 },
    { name: "desk", price: 250, stock: 20 },
    { name: "lamp", price: 40, stock: 500 },
  ]);
}

/** Takes the goods out of the stock and writes the order down: both, or neither. */
export async function placeOrder(
  db: Knex,
  number: number,
  product: string,
  quantity: number,
): Promise<"placed" | "sold out"> {
  return db.transaction(async (trx) => {
    const taken = await trx("products")
      .where({ name: product })
      .andWhere("stock", ">=", quantity)
      .decrement("stock", quantity);
    if (taken === 0) return "sold out";
    await trx("orders").insert({ number, product, quantity });
    return "placed";
  });
}
