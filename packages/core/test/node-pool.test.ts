import { beforeEach, describe, expect, test } from "vitest";
import { Call } from "../src/call.ts";
import { Deadlines } from "../src/deadlines.ts";
import type { Connection, Fault } from "../src/driver.ts";
import { AbortedError, AcquireTimeoutError, PoolClosedError, QueueFullError } from "../src/errors.ts";
import { ConnectFailure } from "../src/pool/connect-failure.ts";
import type { Lease } from "../src/pool/lease.ts";
import { NodePool, type NodePoolOptions } from "../src/pool/node-pool.ts";
import type { ConnectionSource } from "../src/pool/opening.ts";
import { HeldEnvironment, settle } from "./held-environment.ts";

class ScriptedConnection implements Connection {
  status: Connection["status"] = "idle";
  readonly isInTransaction = false;
  readonly #listeners: (() => void)[] = [];
  readonly sessionId: string | undefined = undefined;
  run(): never {
    throw new Error("a pool runs nothing");
  }
  begin(): never {
    throw new Error("a pool runs nothing");
  }
  cancel(): Promise<void> {
    return Promise.resolve();
  }
  destroy(): void {
    if (this.status === "closed") return;
    this.status = "closed";
    for (const listener of this.#listeners) listener();
  }
  close(): Promise<void> {
    this.destroy();
    return Promise.resolve();
  }
  onClose(listener: () => void): void {
    this.#listeners.push(listener);
  }
  setRef(): void {}
}

/** Opens at once, unless told to fail or to take its time. */
class ScriptedSource implements ConnectionSource {
  readonly connections: ScriptedConnection[] = [];
  readonly cancelled: Connection[] = [];
  attempts = 0;
  failure: Fault["kind"] | undefined;
  isSlow = false;
  isAlive = true;
  isFrozen = false;
  readonly #pending: (() => void)[] = [];

  async open(signal: AbortSignal): Promise<Connection> {
    this.attempts += 1;
    if (this.isSlow) {
      await new Promise<void>((resolve, reject) => {
        this.#pending.push(resolve);
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    }
    if (this.failure !== undefined) throw new Error(this.failure);
    const connection = new ScriptedConnection();
    this.connections.push(connection);
    return connection;
  }

  openPending(): void {
    for (const resolve of this.#pending.splice(0)) resolve();
  }

  check(): Promise<void> {
    if (this.isFrozen) return new Promise(() => {});
    return this.isAlive ? Promise.resolve() : Promise.reject(new Error("no answer in time"));
  }

  cancel(connection: Connection): void {
    this.cancelled.push(connection);
  }

  classify(): Fault {
    return { kind: this.failure ?? "gone", code: undefined };
  }

  get stillOpen(): number {
    return this.connections.filter(({ status }) => status !== "closed").length;
  }
}

let environment: HeldEnvironment;
let deadlines: Deadlines;
let source: ScriptedSource;

beforeEach(() => {
  environment = new HeldEnvironment();
  deadlines = new Deadlines(environment);
  source = new ScriptedSource();
});

const defaults: NodePoolOptions = {
  max: 2,
  idleMs: 1000,
  lifetimeMs: 100_000,
  lifetimeJitter: 0,
  maxWaiting: 100,
  weight: 1,
  acquireMs: 500,
  validateAfterIdleMs: 10_000,
};

const makePool = (options: Partial<NodePoolOptions> = {}): NodePool =>
  new NodePool("node", { ...defaults, ...options }, source, environment);

const makeCall = (timeoutMs = 10_000, signal?: AbortSignal): Call =>
  new Call(environment, deadlines, timeoutMs, signal);

/** Leases of so many callers. */
const take = (pool: NodePool, count: number): Promise<Lease[]> =>
  Promise.all(Array.from({ length: count }, () => pool.acquire(makeCall())));

/** What a promise came to by now. */
function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  return Promise.race([promise.catch((error: unknown) => error), settle().then(() => "pending")]);
}

describe("lending", () => {
  test("opens a connection for who asks, and lends it again when it comes back", async () => {
    const pool = makePool();
    const [first] = await take(pool, 1);
    first?.release();
    const [second] = await take(pool, 1);
    expect(second?.connection).toBe(first?.connection);
    expect(pool.stats).toMatchObject({ inUse: 1, idle: 0, opened: 1 });
  });

  test("never lends one connection to two", async () => {
    const pool = makePool();
    const [one, other] = await take(pool, 2);
    expect(one?.connection).not.toBe(other?.connection);
  });

  test("lends most recently used ones first, so that the others grow idle", async () => {
    const pool = makePool();
    const [one, other] = await take(pool, 2);
    one?.release();
    other?.release();
    const [next] = await take(pool, 1);
    expect(next?.connection).toBe(other?.connection);
  });

  test("opens no more than the most there may be", async () => {
    const pool = makePool();
    await take(pool, 2);
    expect(await outcomeOf(pool.acquire(makeCall()))).toBe("pending");
    expect(pool.stats).toMatchObject({ inUse: 2, waiting: 1, opened: 2 });
  });

  test("serves those who wait in the order in which they came", async () => {
    const pool = makePool({ max: 1 });
    const [held] = await take(pool, 1);
    const served: string[] = [];
    for (const name of ["first", "second", "third"]) {
      void pool.acquire(makeCall()).then((lease) => {
        served.push(name);
        lease.release();
      });
    }
    held?.release();
    await settle();
    expect(served).toEqual(["first", "second", "third"]);
  });

  test("gives a connection back once only", async () => {
    const pool = makePool();
    const [lease] = await take(pool, 1);
    lease?.release();
    lease?.release();
    lease?.destroy();
    expect(pool.stats).toMatchObject({ inUse: 0 });
    expect(await take(pool, 2)).toHaveLength(2);
  });

  test.each(["transaction", "failed", "busy", "closed"] as const)(
    "destroys a connection that comes back %s, and opens another one for who waits",
    async (status) => {
      const pool = makePool({ max: 1 });
      const [lease] = await take(pool, 1);
      const waiting = pool.acquire(makeCall());
      const connection = lease?.connection as ScriptedConnection;
      connection.status = status;
      lease?.release();
      expect((await waiting).connection).not.toBe(connection);
      expect(connection.status).toBe("closed");
    },
  );

  test("replaces a connection that was lost while it was idle", async () => {
    const pool = makePool();
    const [lease] = await take(pool, 1);
    lease?.release();
    lease?.connection.destroy();
    const [next] = await take(pool, 1);
    expect(next?.connection.status).toBe("idle");
  });

  test("what has been idle since another connection was lost is asked whether it lives: it was lent dead, one after the other", async () => {
    const pool = makePool({ max: 3 });
    const leases = await take(pool, 3);
    for (const lease of leases) lease.release();
    await environment.advance(10);
    source.connections[0]?.destroy(); // the server, or what lies between, has ended it
    source.isAlive = false;
    const [fresh] = await take(pool, 1);
    expect(source.connections).toHaveLength(4);
    expect(fresh?.connection).toBe(source.connections[3]);
    expect(source.stillOpen).toBe(1);
  });

  test("what has been in use since another connection was lost is lent unasked, and so is what a holder's cut left", async () => {
    const pool = makePool({ max: 3 });
    const leases = await take(pool, 3);
    leases[0]?.release();
    leases[1]?.connection.destroy();
    leases[1]?.release();
    await environment.advance(10);
    leases[2]?.release();
    source.isAlive = false;
    const [used] = await take(pool, 1);
    expect(used?.connection).toBe(leases[2]?.connection);
    source.isAlive = true;
    const [other] = await take(pool, 1);
    expect(other?.connection).toBe(leases[0]?.connection);
    source.isAlive = false;
    used?.destroy();
    other?.release();
    const [again] = await take(pool, 1);
    expect(again?.connection).toBe(leases[0]?.connection);
  });

  test("asks a connection that was idle for long whether it lives, and replaces it when not", async () => {
    const pool = makePool({ validateAfterIdleMs: 100 });
    const [lease] = await take(pool, 1);
    lease?.release();
    await environment.advance(101);
    source.isAlive = false;
    const next = pool.acquire(makeCall());
    await settle();
    expect((await next).connection).not.toBe(lease?.connection);
    expect(lease?.connection.status).toBe("closed");
  });

  test("a caller waited for the answer of a frozen server beyond its own deadline", async () => {
    const pool = makePool({ validateAfterIdleMs: 100 });
    const [lease] = await take(pool, 1);
    lease?.release();
    await environment.advance(101);
    source.isFrozen = true;
    const late = pool.acquire(makeCall(50));
    late.catch(() => {});
    await environment.advance(60);
    expect(await outcomeOf(late)).toBeInstanceOf(AcquireTimeoutError);
    expect(pool.stats.inUse).toBe(0);
    expect(lease?.connection.status).toBe("closed");
  });
});

describe("waiting", () => {
  test.each([
    ["by the caller's deadline", 50, 60],
    ["by the longest wait for a connection", 10_000, 510],
  ])("ends %s", async (_, timeoutMs, afterMs) => {
    const pool = makePool({ max: 1 });
    await take(pool, 1);
    const waiting = pool.acquire(makeCall(timeoutMs));
    waiting.catch(() => {});
    await environment.advance(afterMs);
    expect(await outcomeOf(waiting)).toBeInstanceOf(AcquireTimeoutError);
    expect(pool.stats.waiting).toBe(0);
  });

  test("ends by the caller's signal, and the next in line is served", async () => {
    const pool = makePool({ max: 1 });
    const [held] = await take(pool, 1);
    const controller = new AbortController();
    const cancelled = pool.acquire(makeCall(1000, controller.signal));
    const next = pool.acquire(makeCall());
    controller.abort();
    await expect(cancelled).rejects.toBeInstanceOf(AbortedError);
    held?.release();
    expect((await next).connection).toBe(held?.connection);
  });

  test("a connection that was opened for a caller who has left is kept for the next", async () => {
    const pool = makePool();
    source.isSlow = true;
    const controller = new AbortController();
    const cancelled = pool.acquire(makeCall(1000, controller.signal));
    controller.abort();
    await expect(cancelled).rejects.toBeInstanceOf(AbortedError);
    source.openPending();
    await settle();
    expect(pool.stats).toMatchObject({ idle: 1, inUse: 0 });
  });

  test("is bounded", async () => {
    const pool = makePool({ max: 1, maxWaiting: 2 });
    await take(pool, 1);
    for (let index = 0; index < 2; index += 1) pool.acquire(makeCall()).catch(() => {});
    await expect(pool.acquire(makeCall())).rejects.toBeInstanceOf(QueueFullError);
  });
});

describe("an opening that fails", () => {
  test("fails all who wait, with what it means", async () => {
    const pool = makePool();
    source.failure = "refused";
    const failures = await Promise.all([1, 2, 3].map(() => pool.acquire(makeCall()).catch((error: unknown) => error)));
    for (const failure of failures) expect(failure).toMatchObject({ fault: { kind: "refused" } });
  });

  test("is not tried again in a hot loop, but after a while that doubles", async () => {
    const pool = makePool();
    source.failure = "refused";
    const attempts: number[] = [];
    for (let round = 0; round < 400; round += 1) {
      await pool.acquire(makeCall()).catch(() => {});
      if (attempts.length < source.attempts) attempts.push(environment.now());
      await environment.advance(10);
    }
    const pauses = attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0));
    expect(pauses.slice(0, 6)).toEqual([20, 40, 80, 160, 320, 640]);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(1000);
  });

  test("fails others at once until it may be tried again", async () => {
    const pool = makePool();
    source.failure = "refused";
    await pool.acquire(makeCall()).catch(() => {});
    await expect(pool.acquire(makeCall())).rejects.toBeInstanceOf(ConnectFailure);
    expect(source.attempts).toBe(1);
  });

  test("says nothing any more once the node is back", async () => {
    const pool = makePool();
    source.failure = "refused";
    await pool.acquire(makeCall()).catch(() => {});
    source.failure = undefined;
    pool.forgive();
    expect(await take(pool, 1)).toHaveLength(1);
  });

  test("because the server has too many connections leaves those who wait in line for one that comes back", async () => {
    const pool = makePool();
    const [held] = await take(pool, 1);
    source.failure = "overloaded";
    const waiting = pool.acquire(makeCall());
    expect(await outcomeOf(waiting)).toBe("pending");
    held?.release();
    expect((await waiting).connection).toBe(held?.connection);
  });

  test("leaves room for others: a failure takes no place", async () => {
    const pool = makePool({ max: 1 });
    source.failure = "refused";
    await pool.acquire(makeCall()).catch(() => {});
    source.failure = undefined;
    await environment.advance(20);
    expect(await take(pool, 1)).toHaveLength(1);
  });
});

describe("tending", () => {
  test("opens as many as shall be ready, at most as many as there may be", async () => {
    const pool = makePool({ max: 3 });
    await pool.tend(2);
    expect(pool.stats).toMatchObject({ idle: 2, opened: 2 });
    await pool.tend(9);
    expect(pool.stats).toMatchObject({ idle: 3, opened: 3 });
  });

  test("closes what was idle for too long, down to as many as shall be ready", async () => {
    const pool = makePool({ max: 4 });
    for (const lease of await take(pool, 4)) lease.release();
    await environment.advance(999);
    await pool.tend(1);
    expect(pool.stats.idle).toBe(4);
    await environment.advance(1);
    await pool.tend(1);
    expect(pool.stats).toMatchObject({ idle: 1, closed: 3 });
    expect(source.stillOpen).toBe(1);
  });

  test("replaces what has outlived its time, also what shall be ready", async () => {
    const pool = makePool({ lifetimeMs: 5000 });
    await pool.tend(1);
    await environment.advance(5000);
    await pool.tend(1);
    await pool.tend(1);
    expect(pool.stats).toMatchObject({ idle: 1, opened: 2, closed: 1 });
  });

  test("ends a connection that outlived its time on loan, when it comes back", async () => {
    const pool = makePool({ lifetimeMs: 5000 });
    const [lease] = await take(pool, 1);
    await environment.advance(5000);
    lease?.release();
    await settle();
    expect(pool.stats).toMatchObject({ idle: 0, closed: 1 });
  });

  test("spreads lifetimes, so that not all connections end at once", async () => {
    const pool = makePool({ lifetimeMs: 5000, lifetimeJitter: 0.1 });
    environment.chance = 0;
    const [short] = await take(pool, 1);
    environment.chance = 0.999;
    const [, long] = await take(pool, 1).then((leases) => [undefined, ...leases]);
    expect([short?.pooled.expiresAt, Math.round(long?.pooled.expiresAt ?? 0)]).toEqual([4500, 5499]);
  });

  test("removes connections that were lost while idle", async () => {
    const pool = makePool();
    for (const lease of await take(pool, 2)) lease.release();
    source.connections[0]?.destroy();
    await settle();
    expect(pool.stats).toMatchObject({ idle: 1, closed: 1 });
  });

  test("does not press a server that has just refused", async () => {
    const pool = makePool();
    source.failure = "refused";
    await pool.tend(1);
    await pool.tend(1);
    expect(source.attempts).toBe(1);
  });
});

describe("cutting", () => {
  const gone: Fault = { kind: "gone", code: undefined };

  test("ends connections on loan and idle, and sends those who wait to find another node", async () => {
    const pool = makePool();
    const [one, other] = await take(pool, 2);
    one?.release();
    const waiting = [pool.acquire(makeCall()), pool.acquire(makeCall())];
    const outcomes = Promise.allSettled(waiting);
    pool.cut(gone);
    expect([one?.connection.status, other?.connection.status]).toEqual(["closed", "closed"]);
    expect((await outcomes).map(({ status }) => status)).toContain("rejected");
  });

  test("gives up openings that are under way: they would lead to the lost server", async () => {
    const pool = makePool();
    source.isSlow = true;
    const waiting = pool.acquire(makeCall());
    waiting.catch(() => {});
    pool.cut(gone);
    source.openPending();
    expect(await outcomeOf(waiting)).toBeInstanceOf(ConnectFailure);
    expect(source.stillOpen).toBe(0);
  });

  test("leaves the pool usable", async () => {
    const pool = makePool();
    await take(pool, 2).then((leases) => leases.map((lease) => lease.release()));
    pool.cut(gone);
    expect(await take(pool, 2)).toHaveLength(2);
  });
});

describe("closing", () => {
  test("ends everything, and leaves no connection and no timer", async () => {
    const pool = makePool();
    const [held, idle] = await take(pool, 2);
    idle?.release();
    source.failure = "refused";
    await pool.close();
    held?.release();
    deadlines.close();
    expect(source.stillOpen).toBe(0);
    expect(environment.armed).toBe(0);
    expect(source.cancelled).toEqual([]);
  });

  test("has the servers end what still runs", async () => {
    const pool = makePool();
    const [busy] = await take(pool, 2);
    const connection = busy?.connection as ScriptedConnection;
    connection.status = "busy";
    await pool.close();
    expect(source.cancelled).toEqual([connection]);
    expect(source.stillOpen).toBe(0);
  });

  test("sends away who waits and who comes later", async () => {
    const pool = makePool({ max: 1 });
    await take(pool, 1);
    const waiting = pool.acquire(makeCall()).catch((error: unknown) => error);
    await pool.close();
    expect(await waiting).toBeInstanceOf(PoolClosedError);
    await expect(pool.acquire(makeCall())).rejects.toBeInstanceOf(PoolClosedError);
  });

  test("gives up openings that are under way", async () => {
    const pool = makePool();
    source.isSlow = true;
    const waiting = pool.acquire(makeCall()).catch((error: unknown) => error);
    await pool.close();
    source.openPending();
    expect(await waiting).toBeInstanceOf(PoolClosedError);
    expect(source.stillOpen).toBe(0);
  });

  test("is done once, however often it is asked for", async () => {
    const pool = makePool();
    await take(pool, 1);
    await Promise.all([pool.close(), pool.close()]);
    expect(pool.stats.inUse).toBe(0);
  });
});
