import { createPool, type FailoverPool, type NodeOptions } from "@mirrorpool/core";
import type { LabCluster } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";
import type { Shop } from "../shop.ts";
import type { System } from "../system.ts";

/** `server` is filled by the server that takes the write: so it is known afterwards who took it. */
const tables = (schema: string): string => `
CREATE SCHEMA ${schema};
CREATE TABLE ${schema}.stock (product int PRIMARY KEY, sold bigint NOT NULL);
INSERT INTO ${schema}.stock SELECT product, 0 FROM generate_series(0, 99) AS product;
CREATE TABLE ${schema}.orders (
  id bigserial PRIMARY KEY, token text NOT NULL, product int NOT NULL,
  server int NOT NULL DEFAULT inet_server_port()
);
CREATE INDEX ON ${schema}.orders (token);`;

const nodesOf = ({ nodes }: LabCluster): NodeOptions[] => nodes.map(({ name, url }) => ({ name, url }));

const openMirrorpool = async (pool: FailoverPool): Promise<Shop> =>
  (await import("../clients/mirrorpool.ts")).openMirrorpoolShop(pool, "$");

export const onPostgres: System = {
  title: "PostgreSQL",
  origin: "embedded: nothing is installed",

  async migrate(cluster, schemas) {
    await using pool = createPool({ driver: postgres(), nodes: nodesOf(cluster) });
    await pool.query(pool.ledgerSchema());
    for (const schema of schemas) await pool.query(tables(schema));
  },

  openPool: (cluster, schema, exactlyOnce) =>
    createPool({ driver: postgres({ options: `-c search_path=${schema}` }), nodes: nodesOf(cluster), exactlyOnce }),

  openPlain: async (url, schema) => (await import("../clients/pg.ts")).openPgShop(url, schema),

  open: {
    mirrorpool: openMirrorpool,
    "exactly-once": openMirrorpool,
    knex: async (pool) => {
      const { mirroredPostgres } = await import("@mirrorpool/knex");
      return (await import("../clients/knex.ts")).openKnexShop({ client: mirroredPostgres(pool) });
    },
    kysely: async (pool) => {
      const { mirroredPostgres } = await import("@mirrorpool/kysely");
      return (await import("../clients/kysely.ts")).openKyselyShop(mirroredPostgres(pool));
    },
    typeorm: async (pool) => {
      const { mirroredPostgres } = await import("@mirrorpool/typeorm");
      const { entities, openTypeormShop } = await import("../clients/typeorm.ts");
      return openTypeormShop(mirroredPostgres({ type: "postgres", entities }, pool));
    },
    prisma: async (pool, schema) => {
      const { mirroredPostgres } = await import("@mirrorpool/prisma");
      const { PrismaClient } = await import("../../generated/client.ts");
      const { openPrismaShop, transactionOptions } = await import("../clients/prisma.ts");
      return openPrismaShop(new PrismaClient({ adapter: mirroredPostgres(pool, { schema }), transactionOptions }));
    },
  },
};
