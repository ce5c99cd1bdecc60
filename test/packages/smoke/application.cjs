// A user's CommonJS module on the built packages. Run by smoke.test.ts on the machine's own Node.
const { createPool } = require("@mirrorpool/core");
const { createCluster } = require("@mirrorpool/lab");
const { postgres } = require("@mirrorpool/pg");
const pg = require("@mirrorpool/pg/drop-in");
const { inspect } = require("@mirrorpool/sql");

async function main() {
  const cluster = await createCluster({ mirrors: 1 });
  const pool = createPool({ driver: postgres(), nodes: cluster.urls });
  const dropIn = new pg.Pool({ mirrorpool: pool });
  try {
    const { rows } = await pool.query("SELECT 1 + $1 AS sum", [1]);
    const { intent } = inspect("SELECT 1", "postgres");
    const { rows: same } = await dropIn.query("SELECT 1 + $1 AS sum", [1]);
    console.log(
      JSON.stringify({
        node: process.version,
        sum: rows[0].sum,
        same: same[0].sum,
        own: typeof pg.types.setTypeParser,
        intent,
      }),
    );
  } finally {
    await dropIn.end();
    await pool.close();
    await cluster.close();
  }
}

main();
