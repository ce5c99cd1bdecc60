import type { PoolOptions } from "@mirrorpool/core";
import { createPool } from "@mirrorpool/core";
import type { Query } from "../peers/query.ts";
import type { System } from "../systems/system.ts";

/** Connections of each. */
export const MAX = 10;

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

function mirrorpool({ driver }: System, name: string, options: Partial<PoolOptions>): Contestant {
  return {
    name,
    async open({ urls }) {
      const pool = createPool({ driver: driver(), nodes: [...urls], pool: { max: MAX }, ...options });
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
export const ours = (system: System): readonly Contestant[] => [
  mirrorpool(system, "mirrorpool", {}),
  mirrorpool(system, "mirrorpool, exactlyOnce", { exactlyOnce: true }),
];
