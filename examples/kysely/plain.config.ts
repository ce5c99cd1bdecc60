import { Kysely, PostgresDialect } from "kysely";
import { Pool } from "pg";
import type { Shop } from "./src/tables.ts";

export const db: Kysely<Shop> = new Kysely({
  dialect: new PostgresDialect({
    pool: new Pool({ connectionString: process.env["DATABASE_URL"], max: 10 }),
  }),
});
