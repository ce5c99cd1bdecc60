// A user's ES module on the built packages. Run by smoke.test.ts on the machine's own Node.
import { createPool } from "@mirrorpool/core";
import { createCluster } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";
import pg, { Pool } from "@mirrorpool/pg/drop-in";
import { inspect } from "@mirrorpool/sql";

const cluster = await createCluster({ mirrors: 1 });
const pool = createPool({ driver: postgres(), nodes: cluster.urls });
const dropIn = new Pool({ mirrorpool: pool });
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
