import type { DataSource } from "typeorm";
import { products } from "./entities.ts";

interface Line {
  readonly product: string;
  readonly orders: number;
  readonly sold: number;
  readonly left: number;
  readonly revenue: number;
}

/** What was sold of each product, and what is left. */
export async function report(db: DataSource): Promise<readonly Line[]> {
  const rows = await db
    .getRepository(products)
    .createQueryBuilder("p")
    .leftJoin("order", "o", "o.product = p.name")
    .select("p.name", "product")
    .addSelect("p.stock", "left")
    .addSelect("count(o.number)", "orders")
    .addSelect("sum(o.quantity)", "sold")
    .addSelect("sum(o.quantity * p.price)", "revenue")
    .groupBy("p.name")
    .orderBy("p.name")
    .getRawMany<Record<keyof Line, unknown>>();
  // counts and sums are large numbers, which a database may give as text
  return rows.map(({ product, left, orders, sold, revenue }) => ({
    ...{ product: String(product), left: Number(left) },
    ...{ orders: Number(orders), sold: Number(sold ?? 0), revenue: Number(revenue ?? 0) },
  }));
}
