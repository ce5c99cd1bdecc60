// A user's ES module with Knex. Run by smoke.test.ts on the machine's own Node.
import { mirroredPostgres } from "@mirrorpool/knex";
import { createCluster } from "@mirrorpool/lab";
import knex from "knex";

const cluster = await createCluster({ mirrors: 1 });
const db = knex({ client: mirroredPostgres({ nodes: cluster.urls }) });
try {
  const { rows } = await db.raw("SELECT 1 + ?::int AS sum", [1]);
  console.log(JSON.stringify({ node: process.version, sum: rows[0].sum }));
} finally {
  await db.destroy();
  await cluster.close();
}
