import { Kysely, MysqlDialect } from "kysely";
import { createPool } from "mysql2";
import type { Shop } from "./src/tables.ts";

export const db: Kysely<Shop> = new Kysely({
  dialect: new MysqlDialect({
    pool: createPool({ uri: process.env["DATABASE_URL"] ?? "", connectionLimit: 10 }),
  }),
});
