import type { FailoverPool, PoolOptions } from "@mirrorpool/core";
import { createPool } from "@mirrorpool/core";
import { postgres } from "@mirrorpool/pg";
import { openAwsWrapper } from "../peers/aws-wrapper.ts";
import { openPgPool } from "../peers/pg.ts";
import { openPostgresJs } from "../peers/postgres-js.ts";
import type { Query } from "../peers/query.ts";

/** Connections of each. */
const MAX = 10;

/** Where the servers are, for a client that knows them all and for one that knows one address. */
interface Place {
  readonly urls: readonly string[];
  /** Leads to whatever is the primary. */
  readonly virtualUrl: string;
}

/** A client that goes through a fault. */
export interface Contestant {
  readonly name: string;
  open(place: Place): Promise<Opened>;
}

interface Opened extends AsyncDisposable {
  readonly query: Query;
  /** Calls back when the client itself has found out that the primary is lost; absent where it never says so. */
  onLost?(listener: () => void): void;
}

function mirrorpool(name: string, options: Partial<PoolOptions>): Contestant {
  return {
    name,
    async open({ urls }) {
      const pool: FailoverPool = createPool({ driver: postgres(), nodes: [...urls], pool: { max: MAX }, ...options });
      if (options.exactlyOnce === true) await pool.query(pool.ledgerSchema());
      await pool.start();
      return {
        query: (text, values) => pool.query(text, values),
        onLost: (listener) => void pool.on("primary-lost", listener),
        [Symbol.asyncDispose]: () => pool.close(),
      };
    },
  };
}

/** With its default settings, and with the commit ledger. */
export const ours: readonly Contestant[] = [
  mirrorpool("mirrorpool", {}),
  mirrorpool("mirrorpool, exactlyOnce", { exactlyOnce: true }),
];

/** What else people take. `pg.Pool` does not follow a primary: its address is moved for it, as a load balancer would. */
export const peers: readonly Contestant[] = [
  {
    name: "pg.Pool, its address moved",
    open: async ({ virtualUrl }) => openPgPool({ urls: [virtualUrl], max: MAX }),
  },
  { name: "postgres.js, all addresses", open: async ({ urls }) => openPostgresJs({ urls, max: MAX }) },
  { name: "aws-advanced-nodejs-wrapper", open: async ({ urls }) => openAwsWrapper({ urls, max: MAX }) },
];
