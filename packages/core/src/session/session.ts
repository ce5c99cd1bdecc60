import type { Call, CallOptions } from "../call.ts";
import type { Result, Statement, StatementFacts } from "../driver.ts";
import {
  AbortedError,
  CommitUnknownError,
  DeadlineError,
  MirrorpoolError,
  NotSentError,
  PoolClosedError,
  SessionLostError,
  TransactionLostError,
} from "../errors.ts";
import type { Lease } from "../pool/lease.ts";
import type { Consistency } from "../routing/freshness.ts";
import { freshAfter } from "../routing/freshness.ts";
import type { Demand } from "../routing/route.ts";
import { until } from "../topology/until.ts";
import type { Waiter } from "../waiters.ts";
import { Waiters } from "../waiters.ts";
import { acquire, maySend } from "./acquire.ts";
import type { SessionContext } from "./context.ts";
import type { Decision } from "./retry.ts";
import { decide } from "./retry.ts";
import { Interrupted, run } from "./run.ts";

/** What a caller may say for one statement. */
export interface StatementOptions extends CallOptions {
  /** How fresh a read has to be. Default: `routing.consistency`. */
  readonly consistency?: Consistency;
}

/** Statements that one session may have waiting for their turn. */
const MAX_QUEUED = 1000;
/** After a refusal as read-only: how long to wait for the monitor to say whether the node takes writes. */
const RECHECK_MS = 1000;

/**
 * What a caller holds: a virtual connection. It costs nothing until the first statement says where it may go, and may be
 * bound to another connection between two statements, unless a transaction or state that cannot move ties it to one.
 */
export class Session {
  readonly #context: SessionContext;
  /** Made for the first that has to wait: most sessions run one statement. */
  #line: Waiters<void> | undefined;
  #isBusy = false;
  #lease: Lease | undefined;
  #transaction: { hasWritten: boolean } | undefined;
  #isPinned = false;
  #lost: MirrorpoolError | undefined;
  /** State that was lost together with something else, which the application was told first. */
  #lostState: SessionLostError | undefined;
  #settling: Promise<void> | undefined;
  #isReleased = false;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** The transaction that was lost, until a ROLLBACK acknowledges it. */
  get lost(): MirrorpoolError | undefined {
    return this.#lost;
  }

  get isInTransaction(): boolean {
    return this.#transaction !== undefined;
  }

  /** Runs one statement, after those that were given before it. */
  async query(
    statement: Statement,
    options: StatementOptions,
    call: Call,
    facts: StatementFacts = this.#context.driver.inspect(statement.text),
  ): Promise<Result> {
    if (this.#isBusy) await this.#waitForTurn(facts, call);
    this.#isBusy = true;
    try {
      this.#throwIfReleased();
      return await this.#perform(statement, facts, options, call);
    } finally {
      if (this.#isReleased) this.#unbindWhenSettled();
      this.#endTurn();
    }
  }

  /**
   * Gives everything back, after the statement that is running. A transaction that is still open is rolled back by closing
   * its connection. Idempotent.
   */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    if (!this.#isBusy) this.#unbindWhenSettled();
  }

  #unbindWhenSettled(): void {
    if (this.#settling === undefined) this.#unbind();
    else void this.#settling.then(() => this.#unbind());
  }

  /** @throws {MirrorpoolError} once the session was given back: nobody waits for its statements any more */
  #throwIfReleased(): void {
    if (this.#isReleased) throw new MirrorpoolError("SESSION_RELEASED", "the session was given back already");
  }

  /** A call that is over sends nothing any more: its outcome is certain then. */
  #throwIfOver(facts: StatementFacts, call: Call): void {
    call.throwIfAborted();
    if (call.isOver) throw this.#interruption("deadline", facts, call);
  }

  #waitForTurn(facts: StatementFacts, call: Call): Promise<void> {
    this.#line ??= new Waiters("statements of one session", MAX_QUEUED);
    const line = this.#line;
    let waiter: Waiter<void> | undefined;
    return call.wait<void>(
      (resolve, reject) => {
        waiter = { resolve, reject };
        line.join(waiter);
      },
      (cause) => {
        if (waiter !== undefined) line.leave(waiter);
        return this.#interruption(cause === "aborted" ? "aborted" : "deadline", facts, call);
      },
    );
  }

  #endTurn(): void {
    const next = this.#line?.shift();
    if (next === undefined) this.#isBusy = false;
    else next.resolve();
  }

  async #perform(statement: Statement, facts: StatementFacts, options: StatementOptions, call: Call): Promise<Result> {
    if (this.#settling !== undefined) await this.#settled(this.#settling, facts, call);
    if (this.#lost !== undefined) return this.#answerForLost(this.#lost, facts);
    if (this.#lostState !== undefined) return this.#answerForLostState(this.#lostState, facts);
    const context = this.#context;
    let losses = 0;
    let avoid: string | undefined;
    for (;;) {
      const demand = this.#demand(statement, facts, options);
      const lease = this.#keep(demand) ?? this.#bind(demand, await acquire(context, demand, call, avoid));
      this.#throwIfOver(facts, call);
      if (lease === undefined) continue;
      const inTransaction = this.#transaction !== undefined;
      if (!inTransaction) context.work.begin(demand.intent);
      try {
        const result = await run(context, lease, statement, call);
        this.#noteAnswer(facts, demand, lease);
        if (facts.session === "pinned" || facts.session === "setting") this.#isPinned = true;
        return result;
      } catch (error) {
        if (error instanceof Interrupted) throw this.#interrupt(error, facts, demand, lease, call);
        const decision = await this.#judge(error, facts, demand, lease, losses, call);
        if (decision === "surface") {
          this.#noteAnswer(facts, demand, lease);
          throw error;
        }
        if (decision !== "rerun" && decision !== "misrouted") return this.#conclude(decision, error, facts, lease);
        if (!(error instanceof NotSentError)) losses += 1;
        avoid = lease.node;
        this.#throwIfReleased();
        this.#prepareRerun(decision, statement, facts, lease);
      } finally {
        if (!inTransaction) context.work.end(demand.intent);
      }
    }
  }

  /** Waits for the connection of an interrupted statement to come to rest. */
  #settled(settling: Promise<void>, facts: StatementFacts, call: Call): Promise<void> {
    return call.wait<void>(
      (resolve) => void settling.then(resolve),
      (cause) => this.#interruption(cause === "aborted" ? "aborted" : "deadline", facts, call),
    );
  }

  #demand(statement: Statement, facts: StatementFacts, options: StatementOptions): Demand {
    const context = this.#context;
    if (facts.intent === "write" || context.misrouted.has(statement.text)) {
      return { intent: "write", freshAfter: Number.POSITIVE_INFINITY };
    }
    const consistency = options.consistency ?? context.config.routing.consistency;
    return { intent: "read", freshAfter: freshAfter(consistency, context.lastWriteAt) };
  }

  /** The lease that the session has, where the statement must or may go on with it. */
  #keep(demand: Demand): Lease | undefined {
    const held = this.#lease;
    if (held === undefined) return undefined;
    if (this.#transaction !== undefined || this.#isPinned) {
      // a superseded primary gets nothing more, not even the rest of a transaction
      if (this.#context.cell.current.primary !== held.node) held.connection.destroy();
      return held;
    }
    if (held.connection.status === "idle" && this.#mayStay(demand, held)) return held;
    this.#unbind();
    return undefined;
  }

  /** The lease to send on in this very tick; undefined when the topology moved while it was awaited: look again. */
  #bind(demand: Demand, lease: Lease): Lease | undefined {
    this.#lease = lease;
    if (maySend(this.#context, demand, lease.node)) return lease;
    this.#unbind();
    return undefined;
  }

  /** A session on the primary stays there: what it reads next may be what it has just written. */
  #mayStay(demand: Demand, held: Lease): boolean {
    const context = this.#context;
    const isOnPrimary = context.cell.current.primary === held.node;
    return maySend(context, isOnPrimary ? { ...demand, intent: "write" } : demand, held.node);
  }

  /** The server has answered: takes over from its protocol whether a transaction is open. */
  #noteAnswer(facts: StatementFacts, demand: Demand, lease: Lease): void {
    const { counters, work, environment } = this.#context;
    counters.statements += 1;
    if (demand.intent === "read") counters.reads += 1;
    else counters.writes += 1;
    const { status } = lease.connection;
    const before = this.#transaction;
    const isOpen = status === "transaction" || status === "failed";
    if (isOpen && before === undefined) {
      work.begin("write");
      counters.transactions += 1;
      this.#transaction = { hasWritten: false };
    }
    if (demand.intent === "write") this.#noteWrite(facts);
    if (!isOpen && before !== undefined) this.#endTransaction();
    // counted when it is complete: what a later read must see
    if (!isOpen && demand.intent === "write") this.#context.lastWriteAt = environment.now();
  }

  #noteWrite(facts: StatementFacts): void {
    const isControl = facts.transaction !== "none" && facts.transaction !== "mixed";
    if (this.#transaction !== undefined && !isControl) this.#transaction.hasWritten = true;
  }

  #endTransaction(): void {
    if (this.#transaction === undefined) return;
    this.#transaction = undefined;
    this.#context.work.end("write");
  }

  async #judge(
    error: unknown,
    facts: StatementFacts,
    demand: Demand,
    lease: Lease,
    losses: number,
    call: Call,
  ): Promise<Decision> {
    const context = this.#context;
    const wasSent = !(error instanceof NotSentError);
    const fault = wasSent ? context.driver.classify(error) : ({ kind: "gone", code: undefined } as const);
    const onMirror = context.cell.current.nodes.get(lease.node)?.observation?.role === "mirror";
    const takesWrites = fault.kind === "read-only" && !onMirror ? await this.#takesWrites(lease.node, call) : true;
    const isTrouble = fault.kind !== "statement" && fault.kind !== "rolled-back" && fault.kind !== "read-only";
    if (isTrouble) context.suspect();
    const ownWrite = demand.intent === "write" && facts.transaction === "mixed";
    return decide(fault, {
      facts,
      intent: demand.intent,
      wasSent,
      inTransaction: this.#transaction !== undefined,
      hasWritten: this.#transaction?.hasWritten === true || ownWrite,
      isPinned: this.#isPinned,
      onMirror,
      takesWrites,
      losses,
    });
  }

  /** Has the node looked at by the monitor, since its refusal may be the application's own read-only mode. */
  async #takesWrites(node: string, call: Call): Promise<boolean> {
    const { cell, environment } = this.#context;
    const askedAt = environment.now();
    this.#context.suspect();
    const isSeen = await until(cell, ({ nodes }) => (nodes.get(node)?.observedAt ?? 0) >= askedAt, call, RECHECK_MS);
    return isSeen && cell.current.nodes.get(node)?.observation?.isWritable === true;
  }

  #prepareRerun(decision: "rerun" | "misrouted", statement: Statement, facts: StatementFacts, lease: Lease): void {
    const { counters, events, misrouted } = this.#context;
    const { node } = lease;
    const { command } = facts;
    this.#unbind();
    if (decision === "misrouted") {
      misrouted.add(statement.text);
      counters.misrouted += 1;
      events.emit("misrouted", { node, command });
    } else {
      counters.reruns += 1;
      events.emit("rerun", { node, command, reason: "the connection was lost or refused the statement" });
    }
  }

  /** Ends what was tied to the lost connection, and says what that means for the statement. */
  #conclude(
    decision: Exclude<Decision, "surface" | "rerun" | "misrouted">,
    error: unknown,
    facts: StatementFacts,
    lease: Lease,
  ): Result {
    const { node } = lease;
    if (decision !== "session-lost") this.#noteLostState(node, error);
    this.#unbind();
    switch (decision) {
      case "gone-with-rollback":
        return rolledBack();
      case "commit-unknown":
        throw this.#commitUnknown(facts, node, error);
      case "transaction-lost": {
        this.#context.counters.transactionsLost += 1;
        const lost = new TransactionLostError(node, error);
        // a statement that ends the transaction itself leaves nothing to acknowledge
        if (facts.transaction !== "commit") this.#lost = lost;
        throw lost;
      }
      case "session-lost":
        throw new SessionLostError(node, error);
      case "read-lost":
        throw new MirrorpoolError(
          "READ_LOST",
          `${facts.command}: the connection was lost on every attempt, last on ${node}`,
          {
            node,
            cause: error,
            retryable: true,
          },
        );
      default:
        return decision satisfies never;
    }
  }

  #answerForLost(lost: MirrorpoolError, facts: StatementFacts): Result {
    const isEnd = facts.transaction === "rollback" || facts.transaction === "commit";
    if (isEnd) this.#lost = undefined;
    if (facts.transaction === "rollback") return rolledBack();
    throw lost;
  }

  /** State that cannot move goes with its connection. */
  #noteLostState(node: string, cause: unknown): void {
    if (this.#isPinned) this.#lostState = new SessionLostError(node, cause);
  }

  #answerForLostState(lost: SessionLostError, facts: StatementFacts): Result {
    // a ROLLBACK asks for nothing that could be missing
    if (facts.transaction === "rollback") return rolledBack();
    this.#lostState = undefined;
    throw lost;
  }

  /** The call is over while its statement runs on: the connection is settled behind its back. */
  #interrupt(
    interrupted: Interrupted,
    facts: StatementFacts,
    demand: Demand,
    lease: Lease,
    call: Call,
  ): MirrorpoolError {
    const inTransaction = this.#transaction !== undefined;
    const { hasWritten } = this.#transaction ?? { hasWritten: false };
    this.#context.counters.interrupted += 1;
    const why = this.#interruption(interrupted.reason, facts, call, lease.node);
    const isOver = facts.transaction === "begin" || facts.transaction === "rollback";
    const mayHaveEffect = inTransaction
      ? hasWritten && ["commit", "prepare", "chain", "mixed"].includes(facts.transaction)
      : demand.intent === "write" && !isOver;
    this.#settling = interrupted.settled.then(() => {
      this.#settling = undefined;
      const { status } = lease.connection;
      // a transaction whose COMMIT is in doubt must not be called lost
      if (status === "idle" || (status === "closed" && mayHaveEffect)) this.#endTransaction();
      if (status === "closed") this.#loseInterrupted(lease, interrupted);
    });
    return mayHaveEffect ? this.#commitUnknown(facts, lease.node, why) : why;
  }

  #loseInterrupted(lease: Lease, interrupted: Interrupted): void {
    if (this.#transaction !== undefined) this.#lost = new TransactionLostError(lease.node, interrupted);
    this.#noteLostState(lease.node, interrupted);
    this.#unbind();
  }

  #interruption(reason: "deadline" | "aborted", facts: StatementFacts, call: Call, node?: string): MirrorpoolError {
    if (reason === "aborted") return new AbortedError(call.signal?.reason);
    if (this.#context.isClosed && !call.isOver) return new PoolClosedError();
    return new DeadlineError(facts.command, node, this.#context.environment.now() - call.startedAt);
  }

  #commitUnknown(facts: StatementFacts, node: string, cause: unknown): CommitUnknownError {
    const { counters, events, environment } = this.#context;
    counters.commitUnknown += 1;
    this.#context.lastWriteAt = environment.now(); // it may have happened: a later read must not miss it
    events.emit("commit-unknown", { node, command: facts.command });
    return new CommitUnknownError(facts.command, node, cause);
  }

  /** Lets the connection go; destroys it where a transaction or state would be left on it for the next one. */
  #unbind(): void {
    const lease = this.#lease;
    const isDirty = this.#transaction !== undefined || this.#isPinned;
    this.#endTransaction();
    this.#isPinned = false;
    this.#lease = undefined;
    if (isDirty) lease?.destroy();
    else lease?.release();
  }
}

const rolledBack = (): Result => ({ rows: [], rowCount: null, command: "ROLLBACK" });
