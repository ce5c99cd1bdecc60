import type { Environment, Timer } from "../../clock.ts";
import type { NodeId } from "../../topology/node.ts";
import { Lease, type LeaseOwner, type PooledConnection } from "../lease.ts";
import { Distance } from "./distance.ts";
import { Paces } from "./paces.ts";
import { Share } from "./share.ts";
import { SharedConnection } from "./shared-connection.ts";

/** Where the multiplexer gets its connections from: the node's pool. */
export interface Lender {
  readonly node: NodeId;
  /** Most connections that may be shared. */
  readonly maxShared: number;
  /** Somebody waits for a connection of his own. */
  readonly isAwaited: boolean;
  /** Connections on loan. */
  readonly lent: number;
  /** All that there may be are on loan. */
  readonly isExhausted: boolean;
  /** One that is sure to live, at once. */
  takeIdle(): Lease | undefined;
}

/** Statements under way on one connection at most. */
const MAX_DEPTH = 64;
/** Nobody is sent behind others whose statements take longer than this together. */
const MAX_BACKLOG_MS = 10;
/** A connection whose head has been running for so long takes nobody in. */
const LONG_MS = 5;
/** Those who wait behind a head that has been running for so long are sent elsewhere. */
const STUCK_MS = 50;

/** Shares some connections of one node between reads that are known to be fast. */
export class Multiplexer implements LeaseOwner {
  readonly distance: Distance = new Distance();
  readonly #paces = new Paces();
  readonly #lender: Lender;
  readonly #environment: Environment;
  #shared: SharedConnection[] = [];
  readonly #ofLease = new WeakMap<PooledConnection, SharedConnection>();
  #watch: Timer | undefined;

  constructor(lender: Lender, environment: Environment) {
    this.#lender = lender;
    this.#environment = environment;
  }

  get node(): NodeId {
    return this.#lender.node;
  }

  get isShared(): boolean {
    return true;
  }

  /** Statements beyond one for each connection. */
  get surplus(): number {
    return this.#shared.reduce((sum, { places }) => sum + Math.max(0, places - 1), 0);
  }

  /** A statement was answered on a connection to itself, after this time: so it shows whether it may share one the next time. */
  noteAlone(text: string, ms: number): void {
    this.#paces.note(text, Math.max(0, ms - this.distance.ms));
  }

  /** A place for one fast read; undefined where it had better have a connection to itself. */
  take(text: string): Lease | undefined {
    // alone it would gain nothing
    if (this.#lender.lent === 0 || !this.#paces.isFast(text)) return undefined;
    const now = this.#environment.now();
    if (this.#lender.isAwaited) this.#makeRoom();
    const depth = Math.min(MAX_DEPTH, MAX_BACKLOG_MS / (this.#paces.expectedMs(text) ?? 1));
    const shared = this.#shared.find((each) => canTake(each, depth, now)) ?? this.#share() ?? this.#fallback(now);
    return shared && this.#lend(shared, now);
  }

  /** Where it would have to wait in line, behind others that are as fast is better. */
  #fallback(now: number): SharedConnection | undefined {
    if (!this.#lender.isExhausted) return undefined;
    const able = this.#shared.filter((each) => canTake(each, MAX_DEPTH, now));
    return able.sort((a, b) => a.places - b.places)[0];
  }

  #lend(shared: SharedConnection, now: number): Lease {
    shared.take();
    const { openedAt, expiresAt } = shared.lease.pooled;
    const pooled = { connection: new Share(shared), openedAt, expiresAt, idleSince: now, state: undefined };
    this.#ofLease.set(pooled, shared);
    this.#watch ??= this.#environment.schedule(STUCK_MS, () => this.#look(), false);
    return new Lease(this, pooled, now);
  }

  /** One more connection to share, where one lies idle. */
  #share(): SharedConnection | undefined {
    if (this.#shared.length >= this.#lender.maxShared || this.#lender.isAwaited) return undefined;
    const lease = this.#lender.takeIdle();
    if (lease === undefined) return undefined;
    if (lease.connection.pipeline === undefined) {
      lease.release();
      return undefined;
    }
    const shared = new SharedConnection(lease, this.#environment, this.#paces, this.distance, (each) =>
      this.#onRest(each),
    );
    this.#shared.push(shared);
    return shared;
  }

  /** Whoever waits for a connection of his own gets those that are shared as well, once they are at rest. */
  #makeRoom(): void {
    const keep = this.#lender.lent > this.#shared.length ? 1 : 0;
    for (const shared of this.#shared.slice(keep)) shared.retire();
  }

  takeBack({ pooled }: Lease): void {
    this.#ofLease.get(pooled)?.giveBack();
  }

  #onRest(shared: SharedConnection): void {
    const place = this.#shared.indexOf(shared);
    if (place < 0) return;
    this.#shared.splice(place, 1);
    if (shared.isDoomed) shared.lease.destroy();
    else shared.lease.release();
  }

  #look(): void {
    this.#watch = undefined;
    const now = this.#environment.now();
    for (const shared of [...this.#shared]) {
      if (shared.headMs(now) >= STUCK_MS) shared.displaceBehindHead(now);
      if (now >= shared.lease.pooled.expiresAt) shared.retire();
    }
    if (this.#shared.length > 0) this.#watch = this.#environment.schedule(STUCK_MS / 2, () => this.#look(), false);
  }

  /** Leaves no timer behind. */
  close(): void {
    this.#watch?.cancel();
    this.#watch = undefined;
  }
}

function canTake(shared: SharedConnection, depth: number, now: number): boolean {
  return !shared.isRetiring && shared.places < depth && shared.headMs(now) < LONG_MS;
}
