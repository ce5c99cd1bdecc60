// A user's CommonJS module with TypeORM. Run by smoke.test.ts on the machine's own Node.
const { createCluster } = require("@mirrorpool/lab");
const { mirroredPostgres } = require("@mirrorpool/typeorm");
const { DataSource } = require("typeorm");

async function main() {
  const cluster = await createCluster({ mirrors: 1 });
  const db = new DataSource(mirroredPostgres({ type: "postgres" }, { nodes: cluster.urls }));
  try {
    await db.initialize();
    const [{ sum }] = await db.query("SELECT 1 + $1::int AS sum", [1]);
    console.log(JSON.stringify({ node: process.version, sum }));
  } finally {
    await db.destroy();
    await cluster.close();
  }
}

main();
