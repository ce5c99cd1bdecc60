// A user's CommonJS module on the built packages. Run by smoke.test.ts on the machine's own Node.
const { createPool } = require("@mirrorpool/core");
const { createCluster } = require("@mirrorpool/lab");
const { postgres } = require("@mirrorpool/pg");
const { inspect } = require("@mirrorpool/sql");

async function main() {
  const cluster = await createCluster({ mirrors: 1 });
  const pool = createPool({ driver: postgres(), nodes: cluster.urls });
  try {
    const { rows } = await pool.query("SELECT 1 + $1 AS sum", [1]);
    const { intent } = inspect("SELECT 1", "postgres");
    console.log(JSON.stringify({ node: process.version, sum: rows[0].sum, intent }));
  } finally {
    await pool.close();
    await cluster.close();
  }
}

main();
