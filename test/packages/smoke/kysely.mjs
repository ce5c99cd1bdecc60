// A user's ES module with Kysely. Run by smoke.test.ts on the machine's own Node: 0.29 says that it needs Node 22, but runs on 20.
import { mirroredPostgres } from "@mirrorpool/kysely";
import { createCluster } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";
import { Kysely, sql } from "kysely";

const cluster = await createCluster({ mirrors: 1 });
const db = new Kysely({ dialect: mirroredPostgres({ driver: postgres(), nodes: cluster.urls }) });
try {
  const { rows } = await sql`SELECT 1 + ${1}::int AS sum`.execute(db);
  console.log(JSON.stringify({ node: process.version, sum: rows[0].sum }));
} finally {
  await db.destroy();
  await cluster.close();
}
