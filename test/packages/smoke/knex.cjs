// A user's CommonJS module with Knex. Run by smoke.test.ts on the machine's own Node.
const { mirroredPostgres } = require("@mirrorpool/knex");
const { createCluster } = require("@mirrorpool/lab");
const knex = require("knex");

async function main() {
  const cluster = await createCluster({ mirrors: 1 });
  const db = knex({ client: mirroredPostgres({ nodes: cluster.urls }) });
  try {
    const { rows } = await db.raw("SELECT 1 + ?::int AS sum", [1]);
    console.log(JSON.stringify({ node: process.version, sum: rows[0].sum }));
  } finally {
    await db.destroy();
    await cluster.close();
  }
}

main();
