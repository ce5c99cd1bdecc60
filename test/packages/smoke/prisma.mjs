// Prisma's adapter in an ES module. Run by smoke.test.ts on the machine's own Node, without a generated client, which is TypeScript.
import { createCluster } from "@mirrorpool/lab";
import { mirroredPostgres } from "@mirrorpool/prisma";

const cluster = await createCluster({ mirrors: 1 });
const adapter = await mirroredPostgres({ nodes: cluster.urls }).connect();
try {
  const { rows } = await adapter.queryRaw({ sql: "SELECT 1 + 1 AS sum", args: [], argTypes: [] });
  console.log(JSON.stringify({ node: process.version, sum: rows[0][0] }));
} finally {
  await adapter.dispose();
  await cluster.close();
}
