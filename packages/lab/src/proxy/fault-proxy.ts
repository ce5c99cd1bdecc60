import { createServer, type Server, type Socket } from "node:net";
import { LabError } from "../errors.ts";
import { type Connection, createConnection } from "./connection.ts";
import type { Direction, Fault } from "./fault.ts";
import type { Link } from "./pipe.ts";

/** What has gone through a proxy since it was made. */
export interface ProxyStats {
  readonly connections: { readonly accepted: number; readonly active: number };
  /** Bytes forwarded. */
  readonly bytes: Readonly<Record<Direction, number>>;
  /** Bytes that disappeared in a black hole or half-open connection. */
  readonly swallowedBytes: Readonly<Record<Direction, number>>;
}

/**
 * A TCP proxy whose traffic can be disturbed at run time. One fault at a time: each method replaces the fault before,
 * and holds for the connections that are open as well as for new ones.
 */
export interface FaultProxy extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly target: { readonly host: string; readonly port: number };
  readonly fault: Fault;
  readonly stats: ProxyStats;
  /** No fault. Connections that lost bytes meanwhile are reset; the others go on, and what was held is delivered. */
  heal(): Promise<void>;
  /** Stops listening, so that new connections get ECONNREFUSED; closes (FIN) those that are open. */
  refuse(): Promise<void>;
  /** Resets (RST) the connections that are open, and each new one as soon as it is accepted. */
  reset(): Promise<void>;
  /** Accepts connections and keeps them, but all bytes and all ends of connections disappear, in both directions. */
  blackHole(): Promise<void>;
  /** As `blackHole`, but only in one direction; the other one works. */
  halfOpen(swallowed: Direction): Promise<void>;
  /** Holds everything, in both directions, and delivers it in order when healed: a write can so arrive late. At most 16 MiB per connection and direction, then the sender has to wait. */
  stall(): Promise<void>;
  /** Delays each direction by `ms` and up to `jitterMs` (default 0) more; the order is kept. */
  latency(ms: number, jitterMs?: number): Promise<void>;
  /** Limits each direction; all connections share the limit. */
  bandwidth(bytesPerSecond: number): Promise<void>;
  /**
   * Ends each connection when exactly `bytes` more bytes have been forwarded in `direction`. Counted per connection: for
   * those that are open from now on, for new ones from their beginning.
   */
  cutAfter(bytes: number, direction: Direction): Promise<void>;
  /** Ends (RST) the connections that are open, once, and leaves the fault as it is. */
  dropConnections(): void;
  /** Stops listening and ends all connections: leaves no socket and no timer. Idempotent. */
  close(): Promise<void>;
}

/** Where a proxy listens and where it leads. */
export interface FaultProxyOptions {
  readonly target: { readonly host: string; readonly port: number };
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port, which then stays the same. */
  readonly port?: number;
}

/**
 * Starts a proxy without fault.
 * @throws the system error when it cannot listen
 */
export async function createFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const proxy = new TcpFaultProxy(options, true);
  await proxy.listen();
  return proxy;
}

/** A proxy that follows its server: while that is down it refuses connections, as the server itself would. */
export interface FollowingProxy extends FaultProxy {
  /** Tells it whether the server listens. A black hole goes on accepting: nobody can tell then. */
  follow(isTargetUp: boolean): Promise<void>;
}

/** Makes a proxy for a server that is down at first. It does not keep the process from ending. */
export function createFollowingProxy(options: Required<FaultProxyOptions>): FollowingProxy {
  return new TcpFaultProxy(options, false);
}

class TcpFaultProxy implements FollowingProxy {
  readonly host: string;
  readonly target: { readonly host: string; readonly port: number };
  readonly #isAlone: boolean;
  readonly #connections = new Set<Connection>();
  readonly #links: Readonly<Record<Direction, Link>>;
  #port: number;
  #fault: Fault = { kind: "pass" };
  #isTargetUp: boolean;
  #isClosed = false;
  #accepted = 0;
  #server: Server | undefined;
  /** Opening and closing the listener, one after the other. */
  #listening: Promise<void> = Promise.resolve();

  constructor({ target, host = "127.0.0.1", port = 0 }: FaultProxyOptions, isAlone: boolean) {
    this.target = target;
    this.host = host;
    this.#port = port;
    this.#isAlone = isAlone;
    this.#isTargetUp = isAlone;
    const createLink = (): Link => {
      const fault = () => this.#fault;
      return {
        get fault() {
          return fault();
        },
        busyUntil: 0,
        bytes: 0,
        swallowedBytes: 0,
      };
    };
    this.#links = { up: createLink(), down: createLink() };
  }

  get port(): number {
    return this.#port;
  }

  get fault(): Fault {
    return this.#fault;
  }

  get stats(): ProxyStats {
    const { up, down } = this.#links;
    return {
      connections: { accepted: this.#accepted, active: this.#connections.size },
      bytes: { up: up.bytes, down: down.bytes },
      swallowedBytes: { up: up.swallowedBytes, down: down.swallowedBytes },
    };
  }

  heal(): Promise<void> {
    return this.#set({ kind: "pass" });
  }

  async refuse(): Promise<void> {
    const done = this.#set({ kind: "refuse" });
    for (const connection of this.#connections) connection.close();
    await done;
  }

  async reset(): Promise<void> {
    const done = this.#set({ kind: "reset" });
    this.dropConnections();
    await done;
  }

  blackHole(): Promise<void> {
    return this.#set({ kind: "black-hole" });
  }

  halfOpen(swallowed: Direction): Promise<void> {
    return this.#set({ kind: "half-open", swallowed });
  }

  stall(): Promise<void> {
    return this.#set({ kind: "stall" });
  }

  async latency(ms: number, jitterMs: number = 0): Promise<void> {
    await this.#set({
      kind: "latency",
      ms: atLeast(0, "latency: ms", ms),
      jitterMs: atLeast(0, "latency: jitterMs", jitterMs),
    });
  }

  async bandwidth(bytesPerSecond: number): Promise<void> {
    await this.#set({ kind: "bandwidth", bytesPerSecond: atLeast(1, "bandwidth: bytesPerSecond", bytesPerSecond) });
  }

  async cutAfter(bytes: number, direction: Direction): Promise<void> {
    await this.#set({ kind: "cut-after", bytes: atLeast(0, "cutAfter: bytes", bytes), direction });
  }

  dropConnections(): void {
    for (const connection of this.#connections) connection.reset();
  }

  follow(isTargetUp: boolean): Promise<void> {
    this.#isTargetUp = isTargetUp;
    return this.listen();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const connection of this.#connections) connection.close();
    await this.listen();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Opens or closes the listener, as the fault and the target demand. */
  listen(): Promise<void> {
    const step = async () => {
      const isWanted = this.#wantsToListen();
      if (isWanted && !this.#server) await this.#open();
      else if (!isWanted && this.#server) {
        // the listening socket closes at once; the event would wait for the connections, some of which may be in a black hole
        this.#server.close();
        this.#server = undefined;
      }
    };
    // after a failure the next change tries again
    this.#listening = this.#listening.then(step, step);
    return this.#listening;
  }

  #wantsToListen(): boolean {
    if (this.#isClosed || this.#fault.kind === "refuse") return false;
    return this.#isTargetUp || this.#fault.kind === "black-hole";
  }

  async #open(): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: this.host, port: this.#port, exclusive: true }, resolve);
    });
    if (!this.#isAlone) server.unref();
    const address = server.address();
    if (typeof address === "object" && address !== null) this.#port = address.port;
    this.#server = server;
  }

  #accept(client: Socket): void {
    this.#accepted += 1;
    if (this.#isClosed || this.#fault.kind === "reset" || this.#fault.kind === "refuse") {
      client.on("error", () => {});
      client.resetAndDestroy();
      return;
    }
    const connection: Connection = createConnection({
      client,
      target: this.target,
      links: this.#links,
      isAlone: this.#isAlone,
      fault: () => this.#fault,
      onClose: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
  }

  #set(fault: Fault): Promise<void> {
    this.#fault = fault;
    for (const link of Object.values(this.#links)) link.busyUntil = 0;
    for (const connection of this.#connections) connection.update();
    return this.listen();
  }
}

function atLeast(least: number, what: string, value: number): number {
  if (Number.isFinite(value) && value >= least) return value;
  throw new LabError("invalid-option", `${what}: expected a number of at least ${least}, got ${value}`);
}
