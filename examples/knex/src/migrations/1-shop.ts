import type { Knex } from "knex";

export async function up(db: Knex): Promise<void> {
  await db.schema.createTable("products", (table) => {
    table.string("name", 60).primary();
    table.integer("price").notNullable();
    table.integer("stock").notNullable();
  });
  await db.schema.createTable("orders", (table) => {
    table.integer("number").primary();
    table.string("product", 60).notNullable().references("products.name");
    table.integer("quantity").notNullable();
  });
}

export async function down(db: Knex): Promise<void> {
  await db.schema.dropTable("orders").dropTable("products");
}
