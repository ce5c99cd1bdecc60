import type { FailoverPool } from "@mirrorpool/core";
import { openKnexShop } from "./clients/knex.ts";
import { openKyselyShop } from "./clients/kysely.ts";
import { openMirrorpoolShop } from "./clients/mirrorpool.ts";
import { openPgShop } from "./clients/pg.ts";
import { openPrismaShop } from "./clients/prisma.ts";
import { openTypeormShop } from "./clients/typeorm.ts";
import type { Identity } from "./judge.ts";
import type { ClientName, Orm } from "./options.ts";
import type { Shop } from "./shop.ts";

/** How a client is opened on its own schema. */
export type ClientKind =
  | { readonly kind: "plain"; readonly open: (url: string, schema: string) => Shop }
  | {
      readonly kind: "mirrored";
      readonly orm: Orm | null;
      readonly exactlyOnce: boolean;
      readonly open: (pool: FailoverPool, schema: string) => Shop | Promise<Shop>;
    };

const mirrored = { kind: "mirrored", orm: null, exactlyOnce: true } as const;

export const clients: Readonly<Record<ClientName, ClientKind>> = {
  "pg.Pool": { kind: "plain", open: openPgShop },
  mirrorpool: { ...mirrored, exactlyOnce: false, open: openMirrorpoolShop },
  "exactly-once": { ...mirrored, open: openMirrorpoolShop },
  knex: { ...mirrored, orm: "knex", open: openKnexShop },
  kysely: { ...mirrored, orm: "kysely", open: openKyselyShop },
  typeorm: { ...mirrored, orm: "typeorm", open: openTypeormShop },
  prisma: { ...mirrored, orm: "prisma", open: openPrismaShop },
};

/** What a client is in the figures. */
export function identityOf(client: ClientName): Identity {
  const kind = clients[client];
  return kind.kind === "plain"
    ? { client: "pg.Pool", orm: null, database: "postgres", exactlyOnce: false }
    : { client: "mirrorpool", orm: kind.orm, database: "postgres", exactlyOnce: kind.exactlyOnce };
}
