import type { BagItem } from "../bag.ts";
import type { Connection, SessionState } from "../driver.ts";
import type { NodeId } from "../topology/node.ts";

/** One real connection of a node's pool, and what the pool remembers of it. */
export interface PooledConnection {
  readonly connection: Connection;
  readonly openedAt: number;
  readonly expiresAt: number;
  idleSince: number;
  /** Its holder has cut it: that it is closed says nothing of the others. */
  isCut?: boolean;
  /** What its last session has set and left; undefined as it was opened. */
  state: SessionState | undefined;
}

/** Takes a connection back. Implemented by the node's pool. */
export interface LeaseOwner {
  readonly node: NodeId;
  /** Its leases are places on a connection that serves others as well. */
  readonly isShared: boolean;
  takeBack(lease: Lease): void;
}

/** A connection on loan to one holder, given back exactly once. */
export class Lease implements BagItem {
  readonly #owner: LeaseOwner;
  readonly pooled: PooledConnection;
  readonly borrowedAt: number;
  /** How long the connection had been idle before. */
  readonly idledMs: number;
  place = 0;
  #isReleased = false;

  constructor(owner: LeaseOwner, pooled: PooledConnection, borrowedAt: number) {
    this.#owner = owner;
    this.pooled = pooled;
    this.borrowedAt = borrowedAt;
    this.idledMs = borrowedAt - pooled.idleSince;
  }

  get node(): NodeId {
    return this.#owner.node;
  }

  /** For one statement, beside those of others. */
  get isShared(): boolean {
    return this.#owner.isShared;
  }

  get connection(): Connection {
    return this.pooled.connection;
  }

  get isReleased(): boolean {
    return this.#isReleased;
  }

  /** Gives the connection back. One that is not idle outside a transaction is destroyed. Idempotent. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#owner.takeBack(this);
  }

  /** Cuts the connection and gives up its place. Idempotent. */
  destroy(): void {
    this.pooled.isCut = true;
    this.connection.destroy();
    this.release();
  }
}
