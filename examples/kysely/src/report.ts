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
  return db
    .selectFrom("products")
    .leftJoin("orders", "orders.product", "products.name")
    .groupBy("products.name")
    .orderBy("products.name")
    .select([
      "products.name as product",
      sql<number>`count(orders.number)::int`.as("orders"),
      sql<number>`coalesce(sum(quantity), 0)::int`.as("sold"),
      "products.stock as left",
      sql<number>`coalesce(sum(quantity * price), 0)::int`.as("revenue"),
    ])
    .execute();
}
