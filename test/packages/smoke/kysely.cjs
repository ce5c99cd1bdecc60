// A user's CommonJS module with Kysely. Run by smoke.test.ts on the machine's own Node: 0.29 says that it needs Node 22, but runs on 20.
const { mirroredPostgres } = require("@mirrorpool/kysely");
const { createCluster } = require("@mirrorpool/lab");
const { postgres } = require("@mirrorpool/pg");
const { Kysely, sql } = require("kysely");

async function main() {
  const cluster = await createCluster({ mirrors: 1 });
  const db = new Kysely({ dialect: mirroredPostgres({ driver: postgres(), nodes: cluster.urls }) });
  try {
    const { rows } = await sql`SELECT 1 + ${1}::int AS sum`.execute(db);
    console.log(JSON.stringify({ node: process.version, sum: rows[0].sum }));
  } finally {
    await db.destroy();
    await cluster.close();
  }
}

main();
