import { mirroredMysql } from "@mirrorpool/kysely/mysql";
import { mysql } from "@mirrorpool/mysql2";
import { Kysely } from "kysely";
import type { Shop } from "./src/tables.ts";

export const db: Kysely<Shop> = new Kysely({
  dialect: mirroredMysql({
    driver: mysql(),
    nodes: (process.env["DATABASE_URLS"] ?? "").split(","),
    pool: { max: 10 },
    exactlyOnce: true,
  }),
});
