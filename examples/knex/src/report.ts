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
  const rows = await db("products")
    .leftJoin("orders", "orders.product", "products.name")
    .groupBy("products.name")
    .orderBy("products.name")
    .count({ orders: "orders.number" })
    .sum({ sold: "quantity", revenue: db.raw("quantity * price") })
    .select<Record<keyof Line, unknown>[]>({ product: "products.name", left: "products.stock" });
  // counts and sums are large numbers, which a database may give as text
  return rows.map(({ product, left, orders, sold, revenue }) => ({
    ...{ product: String(product), left: Number(left) },
    ...{ orders: Number(orders), sold: Number(sold ?? 0), revenue: Number(revenue ?? 0) },
  }));
}
