import type { Environment } from "../../clock.ts";
import type { Connection, Result, Statement } from "../../driver.ts";
import type { Lease } from "../lease.ts";
import { Displaced } from "./displaced.ts";
import type { Distance } from "./distance.ts";
import type { Paces } from "./paces.ts";
import type { Share } from "./share.ts";

/** After a cancel was asked for, a server that lives has reacted within this time. */
const CANCEL_GRACE_MS = 1000;

/** One statement that was sent, in the order of the answers. */
interface Sent {
  readonly share: Share;
  readonly text: string;
  readonly sentAt: number;
  /** Nobody waits for it any more. */
  isAbandoned: boolean;
  isCancelled: boolean;
  /** The cancel was taken: it can hit nobody else any more. */
  isTaken: boolean;
  reject(error: unknown): void;
}

/**
 * A connection on which several reads are under way, each sent behind the others. The server runs them one after the other: the
 * first, the head, is the one that runs.
 */
export class SharedConnection {
  readonly lease: Lease;
  readonly #environment: Environment;
  readonly #paces: Paces;
  readonly #distance: Distance;
  readonly #onRest: (shared: SharedConnection) => void;
  readonly #pipe: NonNullable<Connection["pipeline"]>;
  #sent: Sent[] = [];
  #headSince = 0;
  /** The head of the last look, if it had been running for long. */
  #suspect: Sent | undefined;
  #places = 0;
  #restedAt = 0;
  #isRetiring = false;
  /** A cancel may still be on its way, and would hit whoever comes next. */
  #isDoomed = false;
  /** A cancel was sent: what others are answered with may be meant for the one that it was sent for. */
  #isSuspect = false;

  /** @param onRest called when nobody has a place and nothing is under way */
  constructor(
    lease: Lease,
    environment: Environment,
    paces: Paces,
    distance: Distance,
    onRest: (shared: SharedConnection) => void,
  ) {
    this.lease = lease;
    this.#environment = environment;
    this.#paces = paces;
    this.#distance = distance;
    this.#onRest = onRest;
    // the multiplexer shares only connections that can do this
    this.#pipe = lease.connection.pipeline as NonNullable<Connection["pipeline"]>;
  }

  get connection(): Connection {
    return this.lease.connection;
  }

  get isClosed(): boolean {
    return this.connection.status === "closed";
  }

  get places(): number {
    return this.#places;
  }

  get isDoomed(): boolean {
    return this.#isDoomed;
  }

  /** Takes nobody in any more. */
  get isRetiring(): boolean {
    return this.#isRetiring || this.isClosed;
  }

  /**
   * How long the statement at the head has been running, in ms: since the one before it was answered, but not before it can have
   * arrived. What it takes to a far node and back is no time of the server.
   */
  headMs(now: number): number {
    const [head] = this.#sent;
    return head === undefined ? 0 : Math.max(0, now - Math.max(this.#headSince, head.sentAt + this.#distance.ms));
  }

  /** How long nobody has had a place and nothing was under way, in ms; undefined while that is not so. */
  restMs(now: number): number | undefined {
    return this.#places === 0 && this.#sent.length === 0 ? now - this.#restedAt : undefined;
  }

  retire(): void {
    this.#isRetiring = true;
  }

  take(): void {
    this.#places += 1;
  }

  giveBack(): void {
    this.#places -= 1;
    this.#restIfDone();
  }

  run(share: Share, statement: Statement): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const sent: Sent = {
        share,
        text: statement.text,
        sentAt: this.#environment.now(),
        isAbandoned: false,
        isCancelled: false,
        isTaken: false,
        reject,
      };
      if (this.#sent.length === 0) this.#headSince = sent.sentAt;
      this.#sent.push(sent);
      this.#pipe(statement).then(
        (result) => {
          this.#ended(sent);
          resolve(result);
        },
        (error: unknown) => {
          const isOwn = sent.isCancelled || !this.#isSuspect || this.isClosed;
          if (sent.isTaken) this.#isDoomed = false;
          this.#ended(sent);
          reject(isOwn ? error : new Displaced(error));
        },
      );
    });
  }

  #ended(sent: Sent): void {
    const now = this.#environment.now();
    const place = this.#sent.indexOf(sent);
    if (place === 0 && !sent.isCancelled) this.#paces.note(sent.text, this.headMs(now));
    if (place >= 0) this.#sent.splice(place, 1);
    this.#headSince = now;
    this.#restIfDone();
  }

  /** Asks the server to end the share's statement, where that is the one that runs; else it is seen to when it runs for long. */
  cancel(share: Share, signal: AbortSignal): Promise<void> {
    const sent = this.#sent.find((each) => each.share === share);
    if (sent === undefined) return Promise.resolve();
    sent.isAbandoned = true;
    return sent === this.#sent[0] ? this.#sendCancel(sent, signal) : Promise.resolve();
  }

  #sendCancel(sent: Sent, signal: AbortSignal): Promise<void> {
    sent.isCancelled = true;
    this.#isSuspect = true;
    this.#isRetiring = true;
    return this.connection.cancel(signal);
  }

  /** Of the statement at the head that nobody waits for. */
  #cancelHead(head: Sent): void {
    const attempt = new AbortController();
    this.#isDoomed = true;
    const onTaken = (): void => {
      head.isTaken = true;
    };
    this.#sendCancel(head, attempt.signal).then(onTaken, () => {});
    const onLate = (): void => {
      attempt.abort(new Error("the server did not cancel in time"));
      if (this.#sent[0] === head) this.connection.destroy();
    };
    this.#environment.schedule(CANCEL_GRACE_MS, onLate, false);
  }

  /** The share is given up. @param isHung the server was asked to end its statement, and has not answered in time */
  abandon(share: Share, isHung: boolean): void {
    const sent = this.#sent.find((each) => each.share === share);
    if (sent?.isCancelled === true && isHung) {
      this.connection.destroy();
      return;
    }
    if (sent === undefined) {
      if (this.#isSuspect) this.#isDoomed = true;
      return;
    }
    sent.isAbandoned = true;
    sent.reject(new Displaced());
  }

  /**
   * Whether the head is the same as when it was last asked, and was running for long then as well: what had arrived was read in
   * between.
   */
  isStill(isLong: boolean): boolean {
    const before = this.#suspect;
    this.#suspect = isLong ? this.#sent[0] : undefined;
    return this.#suspect !== undefined && this.#suspect === before;
  }

  /**
   * Sends those away that wait behind the head for too long; reads may run twice. What was sent already the server runs all the
   * same: mostly it is fast, and to cancel it would cost more.
   */
  displaceBehindHead(now: number): void {
    const [head, ...others] = this.#sent;
    if (head === undefined) return;
    this.#isRetiring = true;
    if (head.isAbandoned && !head.isCancelled) this.#cancelHead(head);
    this.#paces.noteSlow(head.text, this.headMs(now));
    for (const sent of others) {
      if (sent.isAbandoned) continue;
      sent.isAbandoned = true;
      sent.reject(new Displaced());
    }
  }

  #restIfDone(): void {
    if (this.#places > 0 || this.#sent.length > 0) return;
    this.#restedAt = this.#environment.now();
    this.#onRest(this);
  }
}
