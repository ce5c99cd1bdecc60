import { mirroredMysql } from "@mirrorpool/knex/mysql";
import type { Knex } from "knex";

// biome-ignore lint/style/noDefaultExport: what Knex's command line reads
export default {
  client: mirroredMysql({
    nodes: (process.env["DATABASE_URLS"] ?? "").split(","),
    exactlyOnce: true,
  }),
  pool: { min: 0, max: 10 },
  migrations: { directory: "src/migrations", loadExtensions: [".ts"] },
} satisfies Knex.Config;
