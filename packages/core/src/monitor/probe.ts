import type { Environment } from "../clock.ts";
import type { Connection, Driver, Fault } from "../driver.ts";
import type { ProbeOutcome } from "./detector.ts";

/** A timer that fires this much late shows that the process itself was stalled: an answer may wait unread in its socket. */
const STALL_MS = 100;

/** A login takes several round trips and may last longer than one probe may. It goes on meanwhile, for as many timeouts. */
const LOGIN_TIMEOUTS = 4;

/** A login that is under way. */
interface Login {
  readonly opening: Promise<Connection>;
  readonly startedAt: number;
  abandon(): void;
}

export interface ProbeOptions {
  /** Time for connecting, and again for the answer. */
  readonly probeTimeoutMs: number;
  /** Of the commit ledger, where it is in use. */
  readonly ledgerTable: string | undefined;
}

/** One node's probe: a connection of its own, opened when it is needed and given up after any failure. */
export class Probe {
  readonly #driver: Driver;
  readonly #environment: Environment;
  readonly #connect: (signal: AbortSignal) => Promise<Connection>;
  readonly #timeoutMs: number;
  readonly #ledgerTable: string | undefined;
  readonly #onLost: () => void;
  #connection: Connection | undefined;
  #login: Login | undefined;
  #openedAt = 0;

  /** @param onLost called when the connection breaks by itself: a sign that comes before the next probe is due */
  constructor(
    driver: Driver,
    environment: Environment,
    connect: (signal: AbortSignal) => Promise<Connection>,
    { probeTimeoutMs, ledgerTable }: ProbeOptions,
    onLost: () => void,
  ) {
    this.#driver = driver;
    this.#environment = environment;
    this.#connect = connect;
    this.#timeoutMs = probeTimeoutMs;
    this.#ledgerTable = ledgerTable;
    this.#onLost = onLost;
  }

  /** Asks once. Never rejects, and ends within the timeout for connecting and again for the answer. */
  async ask(signal: AbortSignal): Promise<ProbeOutcome> {
    if (this.#connection === undefined || this.#connection.status === "closed") {
      const failure = await this.#open(signal);
      if (failure !== undefined) return failure;
    }
    const connection = this.#connection as Connection;
    const sentAt = this.#environment.now();
    try {
      const observation = await this.#within(() => this.#driver.probe(connection, this.#ledgerTable), signal);
      if (observation === undefined) return this.#give("query", { kind: "silent", code: undefined });
      if (observation === "stalled") {
        this.renew();
        return { type: "stalled" };
      }
      return { type: "answered", observation, sentAt, receivedAt: this.#environment.now() };
    } catch (error) {
      return this.#give("query", this.#driver.classify(error));
    }
  }

  /** Since when the present connection is open; undefined without one. */
  get openedAt(): number | undefined {
    return this.#connection === undefined ? undefined : this.#openedAt;
  }

  /** Drops the connection, so that the next probe looks the name up again and logs in anew. */
  renew(): void {
    this.#login?.abandon();
    this.#login = undefined;
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.destroy();
  }

  #logIn(): Login {
    const attempt = new AbortController();
    const opening = this.#connect(attempt.signal);
    opening.then(
      // nobody may be waiting at this moment: it must not hold the process
      (connection) => connection.setRef(false),
      () => {}, // told by the next probe
    );
    const abandon = (): void => {
      attempt.abort(new Error("no answer in time"));
      // it may have succeeded already, with nobody there to take it
      opening.then((connection) => connection.destroy()).catch(() => {});
    };
    return { opening, startedAt: this.#environment.now(), abandon };
  }

  async #open(signal: AbortSignal): Promise<ProbeOutcome | undefined> {
    this.#login ??= this.#logIn();
    const { opening, startedAt } = this.#login;
    try {
      const connection = await this.#within(() => opening, signal);
      if (connection === "stalled") return { type: "stalled" };
      if (connection === undefined) {
        if (this.#environment.now() - startedAt >= LOGIN_TIMEOUTS * this.#timeoutMs) this.renew();
        return { type: "failed", phase: "connect", fault: { kind: "silent", code: undefined } };
      }
      this.#login = undefined;
      this.#connection = connection;
      connection.onClose(() => {
        if (this.#connection === connection) this.#onLost();
      });
      this.#openedAt = this.#environment.now();
      return undefined;
    } catch (error) {
      return this.#give("connect", this.#driver.classify(error));
    }
  }

  #give(phase: "connect" | "query", fault: Fault): ProbeOutcome {
    this.renew();
    return { type: "failed", phase, fault };
  }

  /** Undefined when there was no answer in time; `stalled` when nobody could have seen it. */
  async #within<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T | undefined | "stalled"> {
    const due = this.#environment.now() + this.#timeoutMs;
    return new Promise<T | undefined | "stalled">((resolve, reject) => {
      const onAbort = (): void => resolve(undefined);
      let timer = this.#environment.schedule(
        this.#timeoutMs,
        () => {
          const isStalled = this.#environment.now() - due > STALL_MS;
          if (!isStalled) return resolve(undefined);
          // the sockets are read after the timers: give the answer a moment to come in
          timer = this.#environment.schedule(STALL_MS, () => resolve("stalled"), false);
        },
        false,
      );
      signal.addEventListener("abort", onAbort, { once: true });
      work()
        .then(resolve, reject)
        .finally(() => {
          timer.cancel();
          signal.removeEventListener("abort", onAbort);
        });
    });
  }
}
