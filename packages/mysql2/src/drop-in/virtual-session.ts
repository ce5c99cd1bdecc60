import {
  Checkout,
  type CheckoutTask,
  type FailoverPool,
  type SessionLostError,
  type Statement,
  type StatementOptions,
} from "@mirrorpool/core";
import type { Holder } from "../holder.ts";
import { factsOf } from "./facts.ts";

/** Where the statements of a connection run, and how. */
export interface Source {
  readonly pool: FailoverPool;
  /** Made for this connection or pool, and closed with it. */
  readonly isOwned: boolean;
  /** Of all reads; undefined: as the pool says. */
  readonly consistency: StatementOptions["consistency"];
  /** For a connection to find a node; undefined: `timeouts.failoverMs`. */
  readonly connectTimeoutMs: number | undefined;
  /** What a connection shows of its address and login, where its own options do not say it. */
  readonly shown: Readonly<Record<string, unknown>>;
  /** How rows are read, where a query does not say it. */
  readonly reading: Readonly<Record<string, unknown>>;
  /** How values are written was said as well: the driver's own settings do not count then. */
  readonly writes: boolean;
}

/**
 * The sessions of one connection of the application, from one release to the next. Settings (`SET …`) that it is given before it
 * is lent for the first time hold for all of them: `mysql2` makes them once for each connection.
 */
export class VirtualSession implements Holder {
  readonly #source: Source;
  readonly #onLost: (error: SessionLostError) => void;
  readonly #settings: Statement[] = [];
  #checkout: Checkout | undefined;
  #isLent = false;
  #isForOne = false;
  #wasLent = false;
  #threadId: number | null = null;

  constructor(source: Source, onLost: (error: SessionLostError) => void) {
    this.#source = source;
    this.#onLost = onLost;
  }

  /** What it is lent for needs nothing that is set or done in it. */
  get isForOne(): boolean {
    return this.#isForOne && this.#checkout?.isIdle !== false && this.#settings.length === 0;
  }

  /** The number of the server's session in which the last statement ran. */
  get threadId(): number | null {
    return this.#threadId;
  }

  attach({ threadId }: { readonly threadId: number | null }): void {
    this.#threadId = threadId;
  }

  /** @param timeoutMs of the statement alone */
  options(timeoutMs: unknown): CheckoutTask["options"] {
    const { consistency } = this.#source;
    const hasLimit = typeof timeoutMs === "number" && timeoutMs > 0;
    if (!hasLimit && consistency === undefined) return NO_OPTIONS;
    return { ...(hasLimit && { timeoutMs }), ...(consistency !== undefined && { consistency }) };
  }

  add(task: CheckoutTask): void {
    this.#checkout ??= new Checkout(this.#source.pool, [...this.#settings], {
      lost: this.#onLost,
      drained: () => {
        if (!this.#isLent) void this.unbind("return");
      },
    });
    this.#checkout.add(!this.#wasLent && isSetting(task.statement) ? this.#keepSetting(task) : task);
  }

  /** For all sessions to come, unless it fails: who gave it is told then. */
  #keepSetting(task: CheckoutTask): CheckoutTask {
    const { statement } = task;
    this.#settings.push(statement);
    const done: CheckoutTask["done"] = (error, result) => {
      if (error !== undefined) this.#settings.splice(this.#settings.indexOf(statement), 1);
      task.done(error, result);
    };
    return { ...task, done };
  }

  /** The application has closed the stream of this task. */
  close(task: CheckoutTask): void {
    this.#checkout?.close(task);
  }

  /** Ends the statement that runs, on the very server that runs it; nothing where none does. */
  interrupt(reason: string): void {
    this.#checkout?.interrupt(reason);
  }

  /** From now on its statements are one session. @param isForOne there is but one */
  lend(isForOne = false): void {
    this.#isLent = true;
    this.#isForOne = isForOne;
    this.#wasLent = true;
  }

  /** What is given from now on finds a session as new; who has it still has it. */
  async renew(): Promise<void> {
    const checkout = this.#checkout;
    this.#checkout = undefined;
    await checkout?.end("return");
  }

  /** The session ends, when what was begun has ended; with `destroy` it ends at once, and its connection with it. */
  unbind(how: "return" | "destroy"): Promise<void> {
    const checkout = this.#checkout;
    this.#isLent = false;
    // most connections are given back idle, and lent again
    const isKept = how === "return" && checkout?.settings === this.#settings.length && checkout.giveBack();
    if (isKept || checkout === undefined) return GIVEN_BACK;
    this.#checkout = undefined;
    return checkout.end(how);
  }
}

const GIVEN_BACK: Promise<void> = Promise.resolve();

const NO_OPTIONS: CheckoutTask["options"] = Object.freeze({});

const isSetting = ({ text, channel }: Statement): boolean =>
  channel === undefined && factsOf(text).session === "setting";
