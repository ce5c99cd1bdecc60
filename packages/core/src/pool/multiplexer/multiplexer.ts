import type { Environment, Timer } from "../../clock.ts";
import type { NodeId } from "../../topology/node.ts";
import type { Waiter } from "../../waiters.ts";
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
  /** Of those the fast reads, who may also share one. */
  readonly fastWaiting: number;
  /** The one of them that has waited longest, who waits no more. */
  shiftFast(): Waiter<Lease> | undefined;
  /** Connections on loan. */
  readonly lent: number;
  /** All that there may be are on loan. */
  readonly isExhausted: boolean;
  /** Another one may be opened: whoever waits gets that. */
  readonly mayGrow: boolean;
  /** One that is sure to live, at once. */
  takeIdle(): Lease | undefined;
}

/** Statements under way on one connection at most. */
const MAX_DEPTH = 64;
/** The same where all connections are taken: in line for one of their own fast reads would take those from all the others. */
const MAX_CROWD = 4096;
/** Up to so many on one connection come from the line of those who wait: they keep it busy, and no more stand behind a slow one. */
const MAX_FROM_LINE = 32;
/** Nobody is sent behind others whose statements take longer than this together. */
const MAX_BACKLOG_MS = 10;
/** A connection whose head has been running for so long takes nobody in. */
const LONG_MS = 5;
/** Those who wait behind a head that has been running for so long are sent elsewhere. */
const STUCK_MS = 50;
/** So soon it is looked at once more: where this process was busy, the answers were there and not read yet. */
const AGAIN_MS = 5;
/** While others wait for connections of their own, the last shared one is kept for so long after its last read. */
const LINGER_MS = 200;

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

  isFast(text: string): boolean {
    return this.#paces.isFast(text);
  }

  /** A place for one fast read; undefined where it had better have a connection to itself. */
  take(text: string): Lease | undefined {
    // alone it would gain nothing
    if (this.#lender.lent === 0 || !this.#paces.isFast(text)) return undefined;
    // behind those who wait already
    if (this.#lender.fastWaiting > 0) return undefined;
    const now = this.#environment.now();
    if (this.#lender.isAwaited) this.#makeRoom();
    const depth = Math.min(MAX_DEPTH, MAX_BACKLOG_MS / (this.#paces.expectedMs(text) ?? 1));
    const shared = this.#shared.find((each) => canTake(each, depth, now)) ?? this.#share() ?? this.#fallback(now);
    return shared && this.#lend(shared, now);
  }

  /**
   * A place on the connection that a fast read has been given to itself, which others then share: where callers stand in line
   * behind slow statements, fast reads would wait for them as well.
   */
  adopt(lease: Lease, text: string): Lease | undefined {
    const { isAwaited, lent, fastWaiting, maxShared } = this.#lender;
    if (!isAwaited || lent < 2 || lease.isShared || lease.connection.pipeline === undefined) return undefined;
    const most = fastWaiting > MAX_FROM_LINE ? maxShared : 1;
    if (!this.#paces.isFast(text) || this.#serving >= most) return undefined;
    const shared = this.#begin(lease);
    const own = this.#lend(shared, this.#environment.now());
    this.#fill(shared);
    return own;
  }

  /** Fast reads have a connection that they share. */
  get isServing(): boolean {
    return this.#serving > 0;
  }

  get #serving(): number {
    return this.#shared.reduce((sum, { isRetiring }) => (isRetiring ? sum : sum + 1), 0);
  }

  /** Fast reads that wait in line get the places that are free. @param leaving places that are about to be */
  #fill(shared: SharedConnection, leaving: number = 0): void {
    while (!shared.isRetiring && shared.places - leaving < MAX_FROM_LINE) {
      const waiter = this.#lender.shiftFast();
      if (waiter === undefined) return;
      waiter.resolve(this.#lend(shared, this.#environment.now()));
    }
  }

  /** Where it would have to wait in line, behind others that are as fast is better. */
  #fallback(now: number): SharedConnection | undefined {
    if (!this.#lender.isExhausted && !this.#lender.isAwaited) return undefined;
    // a line of those who wait for connections of their own may be a line of slow ones: a head that runs long is the lesser evil
    const longest = this.#lender.isAwaited ? STUCK_MS : LONG_MS;
    const able = this.#shared.filter((each) => canTake(each, MAX_CROWD, now, longest));
    return able.sort((a, b) => a.places - b.places)[0];
  }

  #lend(shared: SharedConnection, now: number): Lease {
    shared.take();
    const { openedAt, expiresAt } = shared.lease.pooled;
    const pooled = { connection: new Share(shared), openedAt, expiresAt, idleSince: now, state: undefined };
    this.#ofLease.set(pooled, shared);
    if (this.#watch === undefined) this.#lookIn(STUCK_MS);
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
    return this.#begin(lease);
  }

  #begin(lease: Lease): SharedConnection {
    const shared = new SharedConnection(lease, this.#environment, this.#paces, this.distance, (each) =>
      this.#onRest(each),
    );
    this.#shared.push(shared);
    return shared;
  }

  /**
   * Whoever waits for a connection of his own gets those that are shared as well, once they are at rest, where no other can be
   * opened for him. All but one, unless there is no other that could come free.
   */
  #makeRoom(): void {
    const { lent, mayGrow } = this.#lender;
    if (mayGrow) return;
    const keep = lent > this.#shared.length ? 1 : 0;
    for (const shared of this.#shared.slice(keep)) shared.retire();
  }

  takeBack({ pooled }: Lease): void {
    const shared = this.#ofLease.get(pooled);
    if (shared === undefined) return;
    // at rest it would be given away
    if (this.#lender.fastWaiting > 0) this.#fill(shared, 1);
    shared.giveBack();
  }

  #onRest(shared: SharedConnection): void {
    if (!this.#mayLinger(shared, 0)) this.#release(shared);
  }

  /** Given to one who waits it would leave none for the fast reads to come: they would stand in line with the slow ones. */
  #mayLinger(shared: SharedConnection, restMs: number): boolean {
    const { isAwaited, maxShared } = this.#lender;
    if (!isAwaited || maxShared < 2 || shared.isRetiring || shared.isDoomed || restMs >= LINGER_MS) return false;
    return !this.#shared.some((each) => each !== shared && !each.isRetiring);
  }

  #release(shared: SharedConnection): void {
    const place = this.#shared.indexOf(shared);
    if (place < 0) return;
    this.#shared.splice(place, 1);
    if (shared.isDoomed) shared.lease.destroy();
    else shared.lease.release();
  }

  #lookIn(delayMs: number): void {
    this.#watch = this.#environment.schedule(delayMs, () => this.#look(), false);
  }

  #look(): void {
    this.#watch = undefined;
    const now = this.#environment.now();
    let isDoubtful = false;
    for (const shared of [...this.#shared]) {
      const isLong = shared.headMs(now) >= STUCK_MS;
      if (shared.isStill(isLong)) shared.displaceBehindHead(now);
      else isDoubtful ||= isLong;
      if (now >= shared.lease.pooled.expiresAt) shared.retire();
      const restMs = shared.restMs(now);
      if (restMs !== undefined && !this.#mayLinger(shared, restMs)) this.#release(shared);
    }
    if (this.#shared.length > 0) this.#lookIn(isDoubtful ? AGAIN_MS : STUCK_MS / 2);
  }

  /** Leaves no timer behind. */
  close(): void {
    this.#watch?.cancel();
    this.#watch = undefined;
  }
}

function canTake(shared: SharedConnection, depth: number, now: number, longestMs: number = LONG_MS): boolean {
  return !shared.isRetiring && shared.places < depth && shared.headMs(now) < longestMs;
}
