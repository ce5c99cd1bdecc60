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
  return db
    .getRepository(products)
    .createQueryBuilder("p")
    .leftJoin("order", "o", "o.product = p.name")
    .select('p.name AS "product", count(o.number)::int AS "orders", coalesce(sum(o.quantity), 0)::int AS "sold"')
    .addSelect('p.stock AS "left", coalesce(sum(o.quantity * p.price), 0)::int AS "revenue"')
    .groupBy("p.name")
    .orderBy("p.name")
    .getRawMany<Line>();
}
