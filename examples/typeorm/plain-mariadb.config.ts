import { DataSource } from "typeorm";
import { orders, products } from "./src/entities.ts";
import { Shop1767225600000 } from "./src/shop-migration.ts";

export const db: DataSource = new DataSource({
  type: "mariadb",
  url: process.env["DATABASE_URL"] ?? "",
  entities: [products, orders],
  migrations: [Shop1767225600000],
});
