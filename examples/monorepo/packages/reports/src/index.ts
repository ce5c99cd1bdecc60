import { mirroredPostgres } from "@mirrorpool/knex";
import type { Database } from "@shop/database";
import knex from "knex";

export interface Reports {
  /** How many orders there are, and how many of them the stock knows: always the same number. */
  totals(): Promise<{ readonly orders: number; readonly sold: number }>;
  /** Leaves the database open: others work on it. */
  close(): Promise<void>;
}

export function openReports(database: Database): Reports {
  const db = knex({ client: mirroredPostgres(database), pool: { max: 5 } });
  return {
    async totals() {
      const orders = db("orders").count();
      const row = await db("stock").sum({ sold: "sold" }).select({ orders }).first<Record<"orders" | "sold", string>>();
      return { orders: Number(row.orders), sold: Number(row.sold) };
    },
    close: () => db.destroy(),
  };
}
