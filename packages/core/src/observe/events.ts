import type { Fence, NodeId } from "../topology/node.ts";
import { listenerFailed } from "./listener-failed.ts";

/** What the pool tells, by name. Plain data; no event holds a password or a statement's values. */
export interface PoolEvents {
  /** A node answers, for the first time or again. */
  "node-up": { readonly node: NodeId; readonly role: "primary" | "mirror" };
  /** A node was declared down; its work in flight was cut off. */
  "node-down": { readonly node: NodeId; readonly reason: string };
  /** A node answers but gets no work, and why. */
  "node-fenced": { readonly node: NodeId; readonly reason: Fence; readonly timeline: number | undefined };
  /** There is a new primary. `previous` is the last one, whenever that was. */
  "primary-changed": {
    readonly node: NodeId;
    readonly previous: NodeId | undefined;
    readonly epoch: number;
    readonly timeline: number | undefined;
    /** `initial`: the first one; `switchover`: handed over through this pool; else `failover`. */
    readonly reason: "initial" | "failover" | "switchover";
  };
  /** Writes have nowhere to go. */
  "primary-lost": { readonly node: NodeId; readonly reason: string };
  /** The same primary takes writes again. */
  "primary-restored": { readonly node: NodeId };
  /** Two nodes claim to be primary and none is provably newer. */
  "split-brain": { readonly nodes: readonly NodeId[] };
  /** A login was refused, or another trouble that time alone does not mend. */
  "node-misconfigured": { readonly node: NodeId; readonly reason: string };
  /** A mirror refused a statement that looked like a read; it ran on the primary, and goes there from now on. */
  misrouted: { readonly node: NodeId; readonly command: string };
  /** A statement was run again, elsewhere or after a conflict. */
  rerun: { readonly node: NodeId; readonly command: string; readonly reason: string };
  /** A transaction that was lost before it was committed, or undone in a conflict, was run again, with the same answers. */
  replayed: { readonly node: NodeId; readonly statements: number };
  /**
   * Writes that the application was acknowledged are not on the new primary, or may not be: asynchronous mirroring lost them
   * with the old one. With `exactlyOnce` by their tokens, for the last 10 000 commits of this process; else by positions.
   * Not told where it is certain that nothing was lost.
   */
  "acked-writes-lost": {
    /** The new primary. */
    readonly node: NodeId;
    readonly epoch: number;
    /** Certainly lost. May be 0 where some are unknown. */
    readonly count: number;
    /** Acknowledged shortly before the failover: nobody can tell. */
    readonly unknown: number;
    /** Certainly kept, of those that were looked at. */
    readonly kept: number;
    /** All that were looked at. */
    readonly asked: number;
    /** Of the lost ones, where they have tokens; at most 100. */
    readonly tokens: readonly string[];
    /** How far the new primary had replayed the former one's writes, and where that one was last seen. */
    readonly positions: { readonly endOfRecovery: string | undefined; readonly lastSeen: string | undefined };
  };
  /**
   * A superseded primary is back, and has commits that are not on the present one and that the application was not
   * acknowledged: they were settled as not committed and perhaps run again, or were reported as unknown. Whoever keeps data of
   * that server has to know. Known only with `exactlyOnce`, for 1000 such commits of this process; at most 100 tokens are named.
   */
  "stray-commits": {
    /** The superseded one. */
    readonly node: NodeId;
    readonly epoch: number;
    readonly count: number;
    readonly tokens: readonly string[];
  };
  /** A write's fate is unknown to the application. */
  "commit-unknown": { readonly node: NodeId; readonly command: string };
  /** A session is held for longer than `pool.leakMs`. */
  "leak-suspected": { readonly heldMs: number; readonly stack: string };
  /** New work is held, or let go. */
  paused: Record<never, never>;
  resumed: Record<never, never>;
}

export type PoolEventName = keyof PoolEvents;

/** Typed events. A listener that throws is reported as a process warning: it never breaks the pool. */
export class Events {
  readonly #listeners = new Map<PoolEventName, Set<(event: never) => void>>();

  /** Returns the function that ends it. */
  on<N extends PoolEventName>(name: N, listener: (event: PoolEvents[N]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  emit<N extends PoolEventName>(name: N, event: PoolEvents[N]): void {
    const listeners = this.#listeners.get(name) as Set<(event: PoolEvents[N]) => void> | undefined;
    if (listeners === undefined) return;
    for (const listener of [...listeners]) {
      try {
        listener(event);
      } catch (error) {
        listenerFailed(name, error);
      }
    }
  }
}
