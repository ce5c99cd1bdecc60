import type { Driver } from "@mirrorpool/core";
import type { LabCluster, LabNode, ServerKind } from "@mirrorpool/lab";

/** Holds statements under way: who waits is seen, and is in flight for certain. */
export interface Gate {
  /** Lets them go. Idempotent; a killed server has let go already. */
  open(): Promise<void>;
}

/** What the checks have to know of a database system: all SQL that is not the same on each. */
export interface Database {
  readonly server: ServerKind;
  /** Settings of the servers. */
  readonly settings: Readonly<Record<string, string>>;
  readonly driver: () => Driver;
  /** The statements that make the tables, as the application's own role. */
  readonly schema: readonly string[];
  /** For the server's superuser: puts an order there, whether there is one of this id or not. */
  putOrder(id: number, item: string): string;
  /** For the server's superuser: an empty table that the application may read. */
  makeTable(name: string): string;
  dropTable(name: string): string;
  /** Names of the application's tables, as `name`. */
  readonly tables: string;
  /** An expression that takes so long. */
  sleep(seconds: number): string;
  /** An expression that names the server's session. */
  readonly sessionId: string;
  /** A statement that writes an order and gives rows back, as a read does: one row with the `id`. */
  rawWrite(id: number): string;
  /** The code of a key that is there already. */
  readonly uniqueViolation: string;
  /** An error undoes the transaction, and COMMIT is answered with a rollback then. */
  readonly errorsAbort: boolean;
  /** Holds the inserts of orders whose item is `HELD`, on this server only: a new primary has no gate. */
  holdWrites(primary: LabNode): Promise<Gate>;
  /** Holds the COMMIT of transactions that have written an order whose item is `HELD_AT_COMMIT`. */
  holdCommits(cluster: LabCluster): Promise<Gate>;
  /** Holds all reads of `orders` on the mirrors. */
  holdReads(cluster: LabCluster): Promise<Gate>;
  /** Counts the statements of the application that are held, as `count`. */
  readonly held: string;
  /** Counts the sessions of the application under this name, as `count`. */
  sessions(applicationName: string): string;
}
