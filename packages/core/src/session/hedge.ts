import type { Call } from "../call.ts";
import type { Timer } from "../clock.ts";
import type { Expiring } from "../deadlines.ts";
import type { Result, Statement } from "../driver.ts";
import { NotSentError } from "../errors.ts";
import { Interruption } from "../interruption.ts";
import type { Lease } from "../pool/lease.ts";
import type { Hedging } from "../routing/hedging.ts";
import type { Demand } from "../routing/route.ts";
import { route } from "../routing/route.ts";
import { acquire, maySend } from "./acquire.ts";
import type { SessionContext } from "./context.ts";
import { Interrupted, run } from "./run.ts";

/** A plain read, and the connection that it goes to first. */
export interface HedgeableRead {
  readonly statement: Statement;
  readonly demand: Demand;
  readonly lease: Lease;
  /** Its text, where it may share a connection with others. */
  readonly shareable: string | undefined;
}

/**
 * Runs a plain read, and runs it on a second node as well where the first one is slow to answer: the first answer counts.
 * @param onMoved called with the lease of the second node where that has answered first; the first lease is then given back here
 * @throws what the first attempt throws, as {@link run} does, unless the second one answers
 */
export function runHedged(
  context: SessionContext,
  hedging: Hedging,
  read: HedgeableRead,
  call: Call,
  onMoved: (lease: Lease) => void,
): Promise<Result> {
  return new Race(context, hedging, read, call, onMoved).run();
}

/** One that has lost is left to end by itself for so long: a cancel that comes too late costs a connection. */
const LOSER_GRACE_MS = 100;

/** One of the two, with an end of its own. */
class Attempt {
  readonly interruption = new Interruption();
  readonly call: Call;
  sentAt: number | undefined;
  /** Ends it where it goes on for too long after it has lost. */
  grace: Timer | undefined;

  constructor({ createCall, environment }: SessionContext, deadline: number) {
    this.call = createCall(Math.max(0, deadline - environment.now()), this.interruption);
  }
}

class Race implements Expiring {
  readonly #context: SessionContext;
  readonly #hedging: Hedging;
  readonly #read: HedgeableRead;
  readonly #call: Call;
  readonly #onMoved: (lease: Lease) => void;
  readonly #first: Attempt;
  #second: Attempt | undefined;
  /** Where the first attempt has failed. */
  #failure: { readonly error: unknown } | undefined;
  #isOver = false;
  #bucket: number | undefined;
  #resolve: (result: Result) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  place = 0;

  constructor(
    context: SessionContext,
    hedging: Hedging,
    read: HedgeableRead,
    call: Call,
    onMoved: (lease: Lease) => void,
  ) {
    this.#context = context;
    this.#hedging = hedging;
    this.#read = read;
    this.#call = call;
    this.#onMoved = onMoved;
    this.#first = new Attempt(context, call.deadline);
  }

  run(): Promise<Result> {
    const { environment, deadlines } = this.#context;
    const { lease, statement } = this.#read;
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      const slowAfterMs = this.#hedging.begin(lease.node);
      const now = environment.now();
      this.#first.sentAt = now;
      const running = run(this.#context, lease, statement, this.#first.call);
      this.#call.signal?.addEventListener("abort", this, { once: true });
      if (slowAfterMs !== undefined) this.#bucket = deadlines.add(now + slowAfterMs, this);
      running.then(
        (result) => this.#answered(result),
        (error: unknown) => this.#failed(error),
      );
    });
  }

  /** The caller's signal has fired. */
  handleEvent(): void {
    const reason = this.#call.signal?.reason;
    this.#first.interruption.fire(reason);
    this.#second?.interruption.fire(reason);
  }

  /** The first one is slow. */
  expire(): void {
    this.#bucket = undefined;
    const { cell, config, isClosed } = this.#context;
    const { demand, lease } = this.#read;
    if (isClosed || this.#isOver || this.#call.isOver) return;
    const others = route(cell.current, { ...demand, excluded: new Set([lease.node]) }, config.routing);
    if (others.type === "wait" || !this.#hedging.trySpend()) return;
    const second = new Attempt(this.#context, this.#call.deadline);
    this.#second = second;
    this.#runSecond(second).catch((error: unknown) => this.#secondFailed(error));
  }

  async #runSecond(second: Attempt): Promise<void> {
    const { environment, counters } = this.#context;
    const { demand, lease: first, shareable, statement } = this.#read;
    const lease = await acquire(this.#context, demand, second.call, { avoid: first.node, shareable });
    // the world may have moved: the first node may be the only one by now
    const isOf = !this.#isOver && lease.node !== first.node && maySend(this.#context, demand, lease.node);
    if (!isOf) {
      lease.release();
      this.#second = undefined;
      return;
    }
    second.sentAt = environment.now();
    counters.hedged += 1;
    let result: Result;
    try {
      result = await run(this.#context, lease, statement, second.call);
    } catch (error) {
      if (!this.#isAnswer(error) && !(error instanceof Interrupted)) this.#context.suspect();
      void settled(error).then(() => lease.release());
      throw error;
    } finally {
      second.grace?.cancel();
    }
    if (!this.#isOver) this.#secondAnswered(result, lease, second);
    else lease.release();
  }

  #answered(result: Result): void {
    this.#noteTime(this.#read.lease, this.#first);
    this.#first.grace?.cancel();
    if (this.#isOver) {
      this.#read.lease.release();
      return;
    }
    this.#end();
    this.#stop(this.#second);
    this.#resolve(result);
  }

  #failed(error: unknown): void {
    this.#first.grace?.cancel();
    if (this.#isOver) {
      void settled(error).then(() => this.#read.lease.release());
      return;
    }
    if (this.#second?.sentAt !== undefined && !(error instanceof Interrupted) && !this.#isAnswer(error)) {
      this.#failure = { error };
      return;
    }
    this.#end();
    this.#stop(this.#second);
    this.#reject(error);
  }

  #secondAnswered(result: Result, lease: Lease, second: Attempt): void {
    this.#end();
    this.#noteTime(lease, second);
    this.#context.counters.hedgesWon += 1;
    this.#onMoved(lease);
    if (this.#failure === undefined) this.#stop(this.#first);
    else this.#read.lease.release();
    this.#resolve(result);
  }

  #secondFailed(error: unknown): void {
    this.#second = undefined;
    if (this.#failure === undefined || this.#isOver) return;
    this.#end();
    this.#reject(error instanceof Interrupted ? error : this.#failure.error);
  }

  /** An error that the database gives to the statement, on any node. */
  #isAnswer(error: unknown): boolean {
    return !(error instanceof NotSentError) && this.#context.driver.classify(error).kind === "statement";
  }

  #end(): void {
    this.#isOver = true;
    if (this.#bucket !== undefined) this.#context.deadlines.clear(this.#bucket, this);
    this.#call.signal?.removeEventListener("abort", this);
  }

  #noteTime({ node }: Lease, { sentAt = 0 }: Attempt): void {
    this.#hedging.note(node, this.#context.environment.now() - sentAt);
  }

  /** Nobody waits for it any more: one that waits for a connection ends at once, one that runs after a grace. */
  #stop(loser: Attempt | undefined): void {
    if (loser === undefined) return;
    const end = (): void => loser.interruption.fire(LOST);
    if (loser.sentAt === undefined) end();
    else loser.grace = this.#context.environment.schedule(LOSER_GRACE_MS, end, false);
  }
}

const LOST = "another node has answered first";

/** Resolves when the connection of an attempt that has failed has come to rest. */
function settled(error: unknown): Promise<void> {
  return error instanceof Interrupted ? error.settled : Promise.resolve();
}
