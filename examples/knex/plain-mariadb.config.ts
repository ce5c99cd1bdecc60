import type { Knex } from "knex";

// biome-ignore lint/style/noDefaultExport: what Knex's command line reads
export default {
  client: "mysql2",
  connection: process.env["DATABASE_URL"] ?? "",
  pool: { min: 0, max: 10 },
  migrations: { directory: "src/migrations", loadExtensions: [".ts"] },
} satisfies Knex.Config;
