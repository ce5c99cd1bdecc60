import { type Kysely, sql } from "kysely";
import type { Shop } from "./tables.ts";

interface Line {
  readonly product: string;
  readonly orders: number;
  readonly sold: number;
  readonly left: number;
  readonly revenue: number;
}

/** What was sold of each product, and what is left. */
export async function report(db: Kysely<Shop>): Promise<readonly Line[]> {
  const rows = await db
    .selectFrom("products")
    .leftJoin("orders", "orders.product", "products.name")
    .groupBy("products.name")
    .orderBy("products.name")
    .select(({ fn }) => [
      "products.name as product",
      "products.stock as left",
      fn.count("orders.number").as("orders"),
      fn.sum("quantity").as("sold"),
      fn.sum(sql`quantity * price`).as("revenue"),
    ])
    .execute();
  // counts and sums are large numbers, which a database may give as text
  return rows.map(({ orders, sold, revenue, ...row }) => ({
    ...row,
    ...{ orders: Number(orders), sold: Number(sold ?? 0), revenue: Number(revenue ?? 0) },
  }));
}
