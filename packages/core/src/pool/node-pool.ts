import type { Pool as GenericPool } from "generic-pool";
import { createPool as createGenericPool } from "generic-pool";
import { Bag } from "../bag.ts";
import type { Call } from "../call.ts";
import type { Environment, Timer } from "../clock.ts";
import type { Fault, SessionState } from "../driver.ts";
import { AbortedError, AcquireTimeoutError, type MirrorpoolError, PoolClosedError } from "../errors.ts";
import { isSameState } from "../same-state.ts";
import type { NodeId } from "../topology/node.ts";
import type { Waiter } from "../waiters.ts";
import { ConnectFailure } from "./connect-failure.ts";
import type { LeaseOwner, PooledConnection } from "./lease.ts";
import { Lease } from "./lease.ts";
import { Line } from "./line.ts";
import { type Lender, Multiplexer } from "./multiplexer/multiplexer.ts";
import { type ConnectionSource, type FailedOpening, isFailed, type Opened, Opening } from "./opening.ts";

export interface NodePoolOptions {
  /** The node's share of work relative to others. */
  readonly weight: number;
  readonly max: number;
  readonly idleMs: number;
  readonly lifetimeMs: number;
  readonly lifetimeJitter: number;
  readonly maxWaiting: number;
  readonly acquireMs: number;
  readonly validateAfterIdleMs: number;
}

export interface NodePoolStats {
  readonly inUse: number;
  readonly idle: number;
  readonly waiting: number;
  readonly opened: number;
  readonly closed: number;
  readonly failed: number;
}

/** After so long an idle connection keeps the process alive no more. */
const REST_AFTER_MS = 50;

/** `idleSince` of a connection that somebody holds. */
const ON_LOAN = Number.POSITIVE_INFINITY;

/**
 * The connections to one node, on generic-pool. Waiting is ours (a pending acquire of generic-pool cannot be cancelled):
 * it is asked only for what it can give at once or may open now, and whoever waits longest gets what comes.
 */
export class NodePool implements LeaseOwner, Lender {
  readonly node: NodeId;
  readonly isShared = false;
  /** For reads that may share a connection. */
  readonly multiplexer: Multiplexer;
  readonly #options: NodePoolOptions;
  readonly #source: ConnectionSource;
  readonly #environment: Environment;
  readonly #pool: GenericPool<Opened>;
  readonly #waiters: Line;
  readonly #connections = new Set<PooledConnection>();
  readonly #leases = new Bag<Lease>();
  /**
   * Idle, most recently used last, and still on loan from generic-pool: lent again from here, which costs a fraction of the
   * way through it. Empty while somebody waits.
   */
  readonly #atHand: PooledConnection[] = [];
  readonly #opening: Opening;
  /** Acquires of generic-pool that are under way, to be matched with waiters as they come. */
  #expected = 0;
  #retry: Timer | undefined;
  #rest: Timer | undefined;
  #isTending = false;
  #isClosed = false;
  #closed = 0;
  /** When a connection was lost that its holder had not cut: who has been idle since before may be dead as well. */
  #lostAt = Number.NEGATIVE_INFINITY;

  constructor(node: NodeId, options: NodePoolOptions, source: ConnectionSource, environment: Environment) {
    this.node = node;
    this.#options = options;
    this.#source = source;
    this.#environment = environment;
    this.#opening = new Opening(options, source, environment);
    this.multiplexer = new Multiplexer(this, environment);
    this.#waiters = new Line(`connections to ${node}`, options.maxWaiting);
    this.#pool = createGenericPool<Opened>(
      { create: () => this.#open(), destroy: async (opened) => this.#forget(opened) },
      // last in, first out: what is not needed grows idle and is closed
      { max: options.max, min: 0, fifo: false, autostart: false },
    );
  }

  get stats(): NodePoolStats {
    return {
      inUse: this.#leases.size,
      idle: this.#idle,
      waiting: this.#waiters.size,
      opened: this.#opening.opened,
      closed: this.#closed,
      failed: this.#opening.failed,
    };
  }

  get weight(): number {
    return this.#options.weight;
  }

  /** Leases now and waiting for one: what balancing goes by. */
  get busy(): number {
    return this.#leases.size + this.#waiters.size + this.multiplexer.surplus;
  }

  get maxShared(): number {
    return Math.max(1, Math.floor(this.#options.max / 2));
  }

  get isAwaited(): boolean {
    return this.#waiters.size > 0;
  }

  get fastWaiting(): number {
    return this.#waiters.fast;
  }

  shiftFast(): Waiter<Lease> | undefined {
    return this.#waiters.shiftFast();
  }

  #nextWaiter(): Waiter<Lease> | undefined {
    return this.#waiters.shift(this.multiplexer.isServing);
  }

  get lent(): number {
    return this.#leases.size;
  }

  get isExhausted(): boolean {
    return this.#leases.size >= this.#options.max;
  }

  get mayGrow(): boolean {
    return !this.isExhausted && this.#opening.isAllowed;
  }

  takeIdle(): Lease | undefined {
    const pooled = this.#isClosed || this.isAwaited ? undefined : this.#atHand.at(-1);
    const now = this.#environment.now();
    if (pooled === undefined || pooled.state !== undefined || !this.#isSure(pooled, now)) return undefined;
    this.#atHand.pop();
    return this.#lend(pooled, now);
  }

  get #idle(): number {
    return this.#atHand.length + this.#pool.available;
  }

  /**
   * Lends a connection; waits in line for one under the call's deadline and `acquireMs`. What its last session has set is
   * still there.
   * @param state which a connection should have, where one is at hand
   * @param isFast it is for a read that is known to be fast
   * @throws {ConnectFailure} when none can be opened: nothing was sent
   */
  acquire(call: Call, state?: SessionState, isFast: boolean = false): Promise<Lease> {
    if (this.#isClosed) return Promise.reject(new PoolClosedError());
    const atHand = this.#takeAtHand(state);
    if (atHand !== undefined) return Promise.resolve(this.#admit(this.#lend(atHand, this.#environment.now()), call));
    if (this.#waiters.size > 0 || this.#pool.available === 0) return this.#wait(call, isFast);
    return this.#pool.acquire().then((opened) => {
      if (!isFailed(opened)) return this.#admit(this.#lend(opened, this.#environment.now()), call);
      this.#drop(opened);
      return this.acquire(call, state, isFast);
    });
  }

  /** The one used last, unless another one has what the session has set. */
  #takeAtHand(state: SessionState | undefined): PooledConnection | undefined {
    const last = this.#atHand.at(-1);
    if (last === undefined || isSameState(last.state, state)) return this.#atHand.pop();
    const place = this.#atHand.findLastIndex((each) => isSameState(each.state, state));
    return place < 0 ? this.#atHand.pop() : this.#atHand.splice(place, 1)[0];
  }

  /** The lease at once where its connection is sure to live; else after a look, or another one. */
  #admit(lease: Lease, call: Call): Lease | Promise<Lease> {
    const isSure = this.#isProven(lease.pooled, lease.borrowedAt - lease.idledMs, lease.idledMs);
    return isSure ? lease : this.#admitAlive(lease, call);
  }

  /** What ends one connection often ends others as well, of which that is not heard before they are used. */
  #isProven({ connection }: PooledConnection, idleSince: number, idledMs: number): boolean {
    const isFresh = idleSince >= this.#lostAt && idledMs <= this.#options.validateAfterIdleMs;
    return connection.status === "idle" && isFresh;
  }

  #isSure(pooled: PooledConnection, now: number): boolean {
    return this.#isProven(pooled, pooled.idleSince, now - pooled.idleSince);
  }

  async #admitAlive(lease: Lease, call: Call): Promise<Lease> {
    if (lease.connection.status === "idle" && (await this.#isAlive(lease, call))) return lease;
    lease.destroy();
    return this.acquire(call);
  }

  /** @throws {MirrorpoolError} at the call's end: the answer may be long in coming */
  #isAlive(lease: Lease, call: Call): Promise<boolean> {
    return call.wait<boolean>(
      (resolve) =>
        void this.#source.check(lease.pooled).then(
          () => resolve(lease.connection.status === "idle"),
          () => resolve(false), // the caller replaces it; the monitor finds out whether the node has a trouble
        ),
      (cause) => {
        lease.destroy();
        return this.#tooLate(cause, call);
      },
    );
  }

  #wait(call: Call, isFast: boolean): Promise<Lease> {
    if (this.#mustFailFast()) return Promise.reject(this.#opening.lastFailure);
    let waiter: Waiter<Lease> | undefined;
    return call.wait<Lease>(
      (resolve, reject) => {
        // a place on a shared connection, which others use already, needs no look
        waiter = { resolve: (lease) => resolve(lease.isShared ? lease : this.#admit(lease, call)), reject };
        this.#waiters.join(waiter, isFast);
        this.#pump();
      },
      (cause) => {
        if (waiter !== undefined) this.#waiters.leave(waiter);
        return this.#tooLate(cause, call);
      },
      this.#options.acquireMs,
    );
  }

  #tooLate(cause: "deadline" | "limit" | "aborted", call: Call): MirrorpoolError {
    if (cause === "aborted") return new AbortedError(call.signal?.reason);
    const waitedMs = this.#environment.now() - call.startedAt;
    const { cause: failure } = this.#opening.lastFailure ?? {};
    return new AcquireTimeoutError(this.node, waitedMs, this.#leases.size, this.#waiters.size, failure);
  }

  /** Right after a failed opening others fail the same way at once, unless a connection in use may come free. */
  #mustFailFast(): boolean {
    return this.#opening.lastFailure !== undefined && !this.#opening.isAllowed && !this.#maySit();
  }

  /** Whether waiting makes sense although nothing can be opened: others hold connections and will give them back. */
  #maySit(): boolean {
    return this.#opening.lastFailure?.fault.kind === "overloaded" && this.#leases.size > 0;
  }

  /** Asks generic-pool for as much as there are waiters, and it can give at once or may open. */
  #pump(): void {
    while (this.#expected < this.#waiters.size && !this.#isClosed) {
      const canOpen = this.#pool.spareResourceCapacity > 0 && this.#opening.isAllowed;
      if (this.#pool.available === 0 && !canOpen) {
        this.#retryLater();
        return;
      }
      this.#expected += 1;
      this.#pool.acquire().then(
        (opened) => this.#supply(opened),
        (error) => {
          this.#expected -= 1;
          this.#waiters.shift()?.reject(error);
        },
      );
    }
  }

  #retryLater(): void {
    const delay = this.#opening.allowedInMs;
    if (delay <= 0 || this.#retry !== undefined) return;
    this.#retry = this.#environment.schedule(
      delay,
      () => {
        this.#retry = undefined;
        this.#pump();
      },
      false,
    );
  }

  #supply(opened: Opened): void {
    this.#expected -= 1;
    if (isFailed(opened)) {
      this.#drop(opened);
      if (!this.#maySit()) this.#waiters.rejectAll(() => this.#opening.lastFailure);
      this.#pump();
      return;
    }
    const waiter = this.#nextWaiter();
    if (waiter === undefined) {
      void this.#pool.release(opened);
      return;
    }
    waiter.resolve(this.#lend(opened, this.#environment.now()));
  }

  /** An opening that failed after its caller had got another connection is left among the idle ones. */
  #drop(failed: FailedOpening): void {
    void this.#pool.destroy(failed);
  }

  #lend(pooled: PooledConnection, now: number): Lease {
    const lease = new Lease(this, pooled, now);
    pooled.idleSince = ON_LOAN;
    pooled.connection.setRef(true);
    this.#leases.add(lease);
    return lease;
  }

  takeBack(lease: Lease): void {
    const { pooled } = lease;
    this.#leases.delete(lease);
    const now = this.#environment.now();
    if (pooled.connection.status === "idle" && now < pooled.expiresAt && !this.#isClosed) {
      pooled.idleSince = now;
      const waiter = this.#nextWaiter();
      if (waiter !== undefined) {
        waiter.resolve(this.#lend(pooled, now));
        return;
      }
      this.#restLater();
      this.#atHand.push(pooled);
    } else {
      void this.#pool.destroy(pooled);
      this.#pump();
    }
  }

  /** What is idle does not keep the process alive. Told a little later, since most are lent again at once. */
  #restLater(): void {
    this.#rest ??= this.#environment.schedule(
      REST_AFTER_MS,
      () => {
        this.#rest = undefined;
        for (const { idleSince, connection } of this.#connections) if (idleSince !== ON_LOAN) connection.setRef(false);
      },
      false,
    );
  }

  async #open(): Promise<Opened> {
    const opened = await this.#opening.open();
    if (isFailed(opened)) return opened;
    const { connection } = opened;
    this.#connections.add(opened);
    connection.setRef(false);
    connection.onClose(() => this.#onConnectionClosed(opened));
    return opened;
  }

  #forget(opened: Opened): void {
    if (isFailed(opened) || !this.#connections.delete(opened)) return;
    this.#closed += 1;
    if (opened.connection.status === "idle") void opened.connection.close();
    else opened.connection.destroy();
  }

  #onConnectionClosed(pooled: PooledConnection): void {
    if (pooled.isCut !== true && this.#connections.has(pooled)) this.#lostAt = this.#environment.now();
    if (!this.#isClosed) void this.tend(0);
  }

  /** Closes idle connections that are dead, too old or idle for too long, and opens some until there are `atLeast`. */
  async tend(atLeast: number): Promise<void> {
    if (this.#isTending || this.#isClosed) return;
    const missing = Math.min(atLeast, this.#options.max) - this.#pool.size;
    const canOpen = this.#opening.isAllowed;
    if ((missing <= 0 || !canOpen) && !this.#hasOutlived(atLeast)) return;
    this.#isTending = true;
    try {
      for (const pooled of this.#atHand.splice(0)) void this.#pool.release(pooled);
      // generic-pool gives no idle connection to look at but on loan, and opens one only for who asks when none is idle
      const idle = Array.from({ length: this.#pool.available }, () => this.#pool.acquire());
      const opening = Array.from({ length: canOpen ? Math.max(0, missing) : 0 }, () => this.#pool.acquire());
      // most recently used first; given back the other way round they keep their order
      for (const opened of (await Promise.all(idle)).reverse()) this.#keepOrClose(opened, atLeast);
      for (const opened of await Promise.all(opening)) this.#keepOrClose(opened, atLeast);
    } finally {
      this.#isTending = false;
      this.#pump();
    }
  }

  #keepOrClose(opened: Opened, atLeast: number): void {
    const isKept = !isFailed(opened) && !this.#isClosed && !this.#isOutlived(opened, this.#pool.size > atLeast);
    if (isKept) void this.#pool.release(opened);
    else void this.#pool.destroy(opened);
  }

  #hasOutlived(atLeast: number): boolean {
    if (this.#idle === 0) return false;
    if (this.#opening.lastFailure !== undefined) return true; // one may lie among them
    const mayShrink = this.#pool.size > atLeast;
    for (const pooled of this.#connections) if (this.#isOutlived(pooled, mayShrink)) return true;
    return false;
  }

  #isOutlived(pooled: PooledConnection, mayShrink: boolean): boolean {
    if (pooled.idleSince === ON_LOAN) return false;
    const now = this.#environment.now();
    if (pooled.connection.status === "closed" || now >= pooled.expiresAt) return true;
    return mayShrink && now - pooled.idleSince >= this.#options.idleMs;
  }

  /** Cuts everything at once: running statements reject, waiting callers are sent back to find another node. */
  cut(fault: Fault): void {
    const failure = new ConnectFailure(fault, new Error(`the node is ${fault.kind}`));
    this.#waiters.rejectAll(() => failure);
    this.#opening.cut(failure);
    for (const { connection } of this.#connections) connection.destroy();
  }

  /** The node is back: what failed before says nothing any more. */
  forgive(): void {
    this.#opening.forgive();
  }

  /** Ends at once what is idle, and by cutting it what is still on loan. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#rest?.cancel();
    this.multiplexer.close();
    this.#opening.cut(new PoolClosedError());
    this.#waiters.rejectAll(() => new PoolClosedError());
    for (const lease of [...this.#leases]) {
      // of a cut alone the server would hear only when what runs there has ended
      if (lease.connection.status === "busy") this.#source.cancel(lease.connection);
      lease.destroy();
    }
    await Promise.all([...this.#connections].map(({ connection }) => connection.close()));
    this.#connections.clear();
    this.#atHand.length = 0;
  }
}
