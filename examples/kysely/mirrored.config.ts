import { mirroredPostgres } from "@mirrorpool/kysely";
import { postgres } from "@mirrorpool/pg";
import { Kysely } from "kysely";
import type { Shop } from "./src/tables.ts";

export const db: Kysely<Shop> = new Kysely({
  dialect: mirroredPostgres({
    driver: postgres(),
    nodes: (process.env["DATABASE_URLS"] ?? "").split(","),
    pool: { max: 10 },
    exactlyOnce: true,
  }),
});
