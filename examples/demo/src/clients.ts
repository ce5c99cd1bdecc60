import type { Identity } from "./judge.ts";
import type { ClientName, DatabaseName, MirroredName, Orm, PlainName } from "./options.ts";

/** The clients on mirrorpool. */
const MIRRORED: Readonly<Record<MirroredName, { readonly orm: Orm | null; readonly exactlyOnce: boolean }>> = {
  mirrorpool: { orm: null, exactlyOnce: false },
  "exactly-once": { orm: null, exactlyOnce: true },
  knex: { orm: "knex", exactlyOnce: true },
  kysely: { orm: "kysely", exactlyOnce: true },
  typeorm: { orm: "typeorm", exactlyOnce: true },
  prisma: { orm: "prisma", exactlyOnce: true },
};

/** The others are the libraries by themselves. */
export const isMirrored = (client: ClientName): client is MirroredName => client in MIRRORED;

/** What a client is in the figures. */
export function identityOf(client: ClientName, database: DatabaseName): Identity {
  return isMirrored(client)
    ? { client: "mirrorpool", database, ...MIRRORED[client] }
    : { client: client satisfies PlainName, orm: null, database, exactlyOnce: false };
}
