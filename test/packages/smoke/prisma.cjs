// Prisma's adapter in a CommonJS module. Run by smoke.test.ts on the machine's own Node, without a generated client, which is TypeScript.
const { createCluster } = require("@mirrorpool/lab");
const { mirroredPostgres } = require("@mirrorpool/prisma");

async function main() {
  const cluster = await createCluster({ mirrors: 1 });
  const adapter = await mirroredPostgres({ nodes: cluster.urls }).connect();
  try {
    const { rows } = await adapter.queryRaw({ sql: "SELECT 1 + 1 AS sum", args: [], argTypes: [] });
    console.log(JSON.stringify({ node: process.version, sum: rows[0][0] }));
  } finally {
    await adapter.dispose();
    await cluster.close();
  }
}

main();
