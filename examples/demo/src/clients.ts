import type { FailoverPool } from "@mirrorpool/core";
import type { Identity } from "./judge.ts";
import type { ClientName, Orm } from "./options.ts";
import type { Shop } from "./shop.ts";

type OpenOnPool = (pool: FailoverPool, schema: string) => Promise<Shop>;

/** How a client is opened on its own schema. Its library is loaded only then. */
export type ClientKind =
  | { readonly kind: "plain"; readonly open: (url: string, schema: string) => Promise<Shop> }
  | { readonly kind: "mirrored"; readonly orm: Orm | null; readonly exactlyOnce: boolean; readonly open: OpenOnPool };

const onMirrorpool = (exactlyOnce: boolean): ClientKind => ({
  kind: "mirrored",
  orm: null,
  exactlyOnce,
  open: async (pool) => (await import("./clients/mirrorpool.ts")).openMirrorpoolShop(pool),
});

const onOrm = (orm: Orm, open: OpenOnPool): ClientKind => ({ kind: "mirrored", orm, exactlyOnce: true, open });

export const clients: Readonly<Record<ClientName, ClientKind>> = {
  "pg.Pool": {
    kind: "plain",
    open: async (url, schema) => (await import("./clients/pg.ts")).openPgShop(url, schema),
  },
  mirrorpool: onMirrorpool(false),
  "exactly-once": onMirrorpool(true),
  knex: onOrm("knex", async (pool) => (await import("./clients/knex.ts")).openKnexShop(pool)),
  kysely: onOrm("kysely", async (pool) => (await import("./clients/kysely.ts")).openKyselyShop(pool)),
  typeorm: onOrm("typeorm", async (pool) => (await import("./clients/typeorm.ts")).openTypeormShop(pool)),
  prisma: onOrm("prisma", async (pool, schema) => (await import("./clients/prisma.ts")).openPrismaShop(pool, schema)),
};

/** What a client is in the figures. */
export function identityOf(client: ClientName): Identity {
  const kind = clients[client];
  return kind.kind === "plain"
    ? { client: "pg.Pool", orm: null, database: "postgres", exactlyOnce: false }
    : { client: "mirrorpool", orm: kind.orm, database: "postgres", exactlyOnce: kind.exactlyOnce };
}
