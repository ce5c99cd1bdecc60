import type { Knex } from "knex";

interface Line {
  readonly product: string;
  readonly orders: number;
  readonly sold: number;
  readonly left: number;
  readonly revenue: number;
}

/** What was sold of each product, and what is left. */
export async function report(db: Knex): Promise<readonly Line[]> {
  return db("products")
    .leftJoin("orders", "orders.product", "products.name")
    .groupBy("products.name")
    .orderBy("products.name")
    .select(
      { product: "products.name" },
      db.raw("count(orders.number)::int as orders"),
      db.raw("coalesce(sum(quantity), 0)::int as sold"),
      { left: "products.stock" },
      db.raw("coalesce(sum(quantity * price), 0)::int as revenue"),
    );
}
