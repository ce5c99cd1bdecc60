import { mirroredMysql } from "@mirrorpool/typeorm/mysql";
import { DataSource } from "typeorm";
import { orders, products } from "./src/entities.ts";
import { Shop1767225600000 } from "./src/shop-migration.ts";

export const db: DataSource = new DataSource(
  mirroredMysql(
    {
      type: "mariadb",
      entities: [products, orders],
      migrations: [Shop1767225600000],
    },
    { nodes: (process.env["DATABASE_URLS"] ?? "").split(","), exactlyOnce: true },
  ),
);
