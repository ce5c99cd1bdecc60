import { mirroredPostgres } from "@mirrorpool/knex";

// biome-ignore lint/style/noDefaultExport: what Knex reads
export default {
  client: mirroredPostgres({ nodes: process.env.NODES.split(" ") }),
  migrations: { loadExtensions: [".cjs"] },
  seeds: { loadExtensions: [".cjs"] },
};
