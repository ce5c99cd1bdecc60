import type { Kysely } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("products")
    .addColumn("name", "varchar(60)", (column) => column.primaryKey())
    .addColumn("price", "integer", (column) => column.notNull())
    .addColumn("stock", "integer", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("orders")
    .addColumn("number", "integer", (column) => column.primaryKey())
    .addColumn("product", "varchar(60)", (column) => column.notNull().references("products.name"))
    .addColumn("quantity", "integer", (column) => column.notNull())
    .execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable("orders").execute();
  await db.schema.dropTable("products").execute();
}
