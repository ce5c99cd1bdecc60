import { createPool, type FailoverPool } from "@mirrorpool/core";
import type { LabCluster } from "@mirrorpool/lab";
import { mysql } from "@mirrorpool/mysql2";
import type { PrismaClient as PostgresClient } from "../../generated/client.ts";
import type { Shop } from "../shop.ts";
import type { System } from "../system.ts";

/**
 * `server` is filled by the server that takes the write: so it is known afterwards who took it. A number of `AUTO_INCREMENT` that an open
 * transaction was told may be taken by somebody else on the new primary, before that transaction is run again there.
 */
const tables = (schema: string): readonly string[] => [
  `CREATE DATABASE ${schema}`,
  `CREATE TABLE ${schema}.stock (product int PRIMARY KEY, sold bigint NOT NULL)`,
  `INSERT INTO ${schema}.stock WITH RECURSIVE numbers (n) AS (
    SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < 99
  ) SELECT n, 0 FROM numbers`,
  `CREATE TABLE ${schema}.orders (
    id char(36) PRIMARY KEY DEFAULT (uuid()), token varchar(60) NOT NULL, product int NOT NULL,
    server int NOT NULL DEFAULT 0, INDEX (token)
  )`,
  `CREATE TRIGGER ${schema}.taken BEFORE INSERT ON ${schema}.orders FOR EACH ROW SET NEW.server = @@port`,
  `GRANT ALL ON ${schema}.* TO app`,
];

function inSchema(url: string, schema: string): string {
  const changed = new URL(url);
  changed.pathname = schema;
  return changed.href;
}

/** Each client has a database of its own there, and its commit ledger in it. */
const open = (cluster: LabCluster, schema: string, exactlyOnce: boolean): FailoverPool =>
  createPool({
    driver: mysql(),
    nodes: cluster.nodes.map(({ name, url }) => ({ name, url: inSchema(url, schema) })),
    exactlyOnce,
  });

const openMirrorpool = async (pool: FailoverPool): Promise<Shop> =>
  (await import("../clients/mirrorpool.ts")).openMirrorpoolShop(pool, "?");

const ORIGINS = {
  mariadb: "the one installed here, or fetched once: 16 MB",
  mysql: "the one installed here, or fetched once: 60 MB",
} as const;

export const onMysql = (database: "mariadb" | "mysql"): System => ({
  title: database === "mysql" ? "MySQL" : "MariaDB",
  origin: ORIGINS[database],

  async migrate(cluster, schemas) {
    const primary = cluster.primary();
    // by it a pool sees that a node follows another one; on MariaDB everybody may
    if (database === "mysql") await primary.query("GRANT SELECT ON performance_schema.* TO app");
    for (const schema of schemas) {
      for (const text of tables(schema)) await primary.query(text);
      await using pool = open(cluster, schema, false);
      await pool.query(pool.ledgerSchema());
    }
    await cluster.caughtUp();
  },

  openPool: open,

  openPlain: async (url, schema) => (await import("../clients/mysql2.ts")).openMysql2Shop(inSchema(url, schema)),

  open: {
    mirrorpool: openMirrorpool,
    "exactly-once": openMirrorpool,
    knex: async (pool) => {
      const { mirroredMysql } = await import("@mirrorpool/knex/mysql");
      return (await import("../clients/knex.ts")).openKnexShop({ client: mirroredMysql(pool) });
    },
    kysely: async (pool) => {
      const { mirroredMysql } = await import("@mirrorpool/kysely/mysql");
      return (await import("../clients/kysely.ts")).openKyselyShop(mirroredMysql(pool));
    },
    typeorm: async (pool) => {
      const { mirroredMysql } = await import("@mirrorpool/typeorm/mysql");
      const { entities, openTypeormShop } = await import("../clients/typeorm.ts");
      return openTypeormShop(mirroredMysql({ type: database, entities }, pool));
    },
    prisma: async (pool) => {
      const { mirroredMysql } = await import("@mirrorpool/prisma/mysql");
      const { PrismaClient } = await import("../../prisma/mysql/generated/client.ts");
      const { openPrismaShop, transactionOptions } = await import("../clients/prisma.ts");
      const prisma = new PrismaClient({ adapter: mirroredMysql(pool), transactionOptions });
      // generated from the same models
      return openPrismaShop(prisma as unknown as PostgresClient);
    },
  },
});
