import { mirroredPostgres } from "@mirrorpool/kysely";
import type { Database } from "@shop/database";
import { Kysely } from "kysely";

interface Tables {
  readonly stock: { readonly product: string; readonly sold: number };
  readonly orders: { readonly number: number; readonly product: string };
}

export interface Orders {
  createTables(products: readonly string[]): Promise<void>;
  /** Counts the sale and writes the order down: both, or neither. */
  place(number: number, product: string): Promise<void>;
  /** Leaves the database open: others work on it. */
  close(): Promise<void>;
}

export function openOrders(database: Database): Orders {
  const db = new Kysely<Tables>({ dialect: mirroredPostgres(database) });
  return {
    async createTables(products) {
      await db.schema
        .createTable("stock")
        .addColumn("product", "text", (column) => column.primaryKey())
        .addColumn("sold", "integer", (column) => column.notNull())
        .execute();
      await db.schema
        .createTable("orders")
        .addColumn("number", "integer", (column) => column.primaryKey())
        .addColumn("product", "text", (column) => column.notNull().references("stock.product"))
        .execute();
      const shelves = products.map((product) => ({ product, sold: 0 }));
      await db.insertInto("stock").values(shelves).execute();
    },
    async place(number, product) {
      await db.transaction().execute(async (trx) => {
        await trx
          .updateTable("stock")
          .set((row) => ({ sold: row("sold", "+", 1) }))
          .where("product", "=", product)
          .execute();
        await trx.insertInto("orders").values({ number, product }).execute();
      });
    },
    close: () => db.destroy(),
  };
}
