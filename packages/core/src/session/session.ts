import type { Call, CallOptions } from "../call.ts";
import type { Result, Statement, StatementFacts } from "../driver.ts";
import {
  AbortedError,
  CommitUnknownError,
  DeadlineError,
  MirrorpoolError,
  NotSentError,
  PoolClosedError,
  ReplayMismatchError,
  SessionLostError,
  StreamLostError,
  TransactionLostError,
} from "../errors.ts";
import type { Lease } from "../pool/lease.ts";
import type { Consistency } from "../routing/freshness.ts";
import type { Demand } from "../routing/route.ts";
import { type AcknowledgedCommit, noteAcknowledged } from "./acknowledged-commit.ts";
import { acquire, TO_PRIMARY } from "./acquire.ts";
import { Binding } from "./binding.ts";
import { commitWithToken, writeOnce } from "./commit.ts";
import type { Ledger, SessionContext } from "./context.ts";
import { digestError } from "./digest.ts";
import { type Failure, judge } from "./failure.ts";
import { waitForFreshMirror } from "./fresh-mirror.ts";
import { hasCommitted } from "./has-committed.ts";
import { isMirrorNeeded, untilMirrored } from "./mirrored.ts";
import { readDemand } from "./read-demand.ts";
import { handsOutRows } from "./recording.ts";
import { replay } from "./replay.ts";
import type { Decision } from "./retry.ts";
import { Interrupted, run } from "./run.ts";
import { Turns } from "./turns.ts";

/** A statement that goes with a token of the commit ledger. */
interface LedgerUse {
  readonly ledger: Ledger;
  readonly token: string;
  readonly send: "write" | "commit";
}

/** What a caller may say for one statement. */
export interface StatementOptions extends CallOptions {
  /** How fresh a read has to be. Default: `routing.consistency`. */
  readonly consistency?: Consistency;
  /** A token of {@link FailoverPool.freshnessToken}: the read sees what that covers as well. */
  readonly freshAs?: string;
}

/**
 * What a caller holds: a virtual connection. It costs nothing until the first statement says where it may go, and may be
 * bound to another connection between two statements, unless a transaction or state that cannot move ties it to one.
 */
export class Session {
  readonly #context: SessionContext;
  readonly #binding: Binding;
  readonly #turns = new Turns();
  #lost: MirrorpoolError | undefined;
  /** State that was lost together with something else, which the application was told first. */
  #lostState: SessionLostError | undefined;
  #settling: Promise<void> | undefined;
  /** Of the statement that has just ended. */
  #commit: AcknowledgedCommit | undefined;
  /** When it last wrote and gave its connection back: what it reads next may be what it has just written. */
  #wroteAt = Number.NEGATIVE_INFINITY;
  #isReleased = false;
  #releaseHow: "return" | "destroy" = "return";
  #onLost: ((error: SessionLostError) => void) | undefined;

  constructor(context: SessionContext) {
    this.#context = context;
    this.#binding = new Binding(context, (node) => this.#onLost?.(new SessionLostError(node, undefined)));
  }

  /** What a statement would find now: a transaction that was lost counts as failed until a ROLLBACK acknowledges it. */
  get transactionStatus(): "none" | "open" | "failed" {
    return this.#lost === undefined ? this.#binding.transactionStatus : "failed";
  }

  /** Calls back as soon as state that cannot move is lost, also where no statement is under way to be told. One listener. */
  onLost(listener: (error: SessionLostError) => void): void {
    this.#onLost = listener;
  }

  /** The transaction that was lost, until a ROLLBACK acknowledges it. */
  get lost(): MirrorpoolError | undefined {
    return this.#lost;
  }

  get isInTransaction(): boolean {
    return this.#binding.transaction !== undefined;
  }

  /** Runs one statement, after those that were given before it. */
  async query(
    statement: Statement,
    options: StatementOptions,
    call: Call,
    facts: StatementFacts = factsOf(this.#context, statement),
  ): Promise<Result> {
    if (!this.#turns.tryTake()) await this.#turns.take(call, (reason) => this.#interruption(reason, facts, call));
    let result: Result;
    let unmirrored: AcknowledgedCommit | undefined;
    try {
      this.#throwIfReleased();
      result = await this.#perform(statement, facts, options, call);
      unmirrored = this.#acknowledge();
    } finally {
      if (this.#isReleased) this.#unbindWhenSettled();
      this.#turns.end();
    }
    if (unmirrored !== undefined) await untilMirrored(this.#context, unmirrored, call);
    return result;
  }

  /** What the application may be told at once is noted; what has to wait for a mirror waits without its connection. */
  #acknowledge(): AcknowledgedCommit | undefined {
    const commit = this.#commit;
    if (commit === undefined) return undefined;
    this.#commit = undefined;
    if (!isMirrorNeeded(this.#context)) {
      noteAcknowledged(this.#context, commit);
      return undefined;
    }
    this.#wroteAt = commit.answeredAt;
    if (!this.isInTransaction && !this.#binding.isPinned) this.#binding.release();
    return commit;
  }

  /**
   * Gives everything back, after the statement that is running. A transaction that is still open is rolled back by closing
   * its connection. Idempotent.
   */
  release(how: "return" | "destroy" = "return"): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#releaseHow = how;
    if (!this.#turns.isTaken) this.#unbindWhenSettled();
  }

  #unbindWhenSettled(): void {
    const release = (): void => this.#binding.release(this.#releaseHow);
    if (this.#settling === undefined) release();
    else void this.#settling.then(release);
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

  async #perform(statement: Statement, facts: StatementFacts, options: StatementOptions, call: Call): Promise<Result> {
    if (this.#settling !== undefined) await this.#settled(this.#settling, facts, call);
    if (this.#lost !== undefined) return this.#answerForLost(this.#lost, facts);
    if (this.#lostState !== undefined) return this.#answerForLostState(this.#lostState, facts);
    const binding = this.#binding;
    // an ORM also rolls back after a COMMIT that was lost: it would wait for a new primary, and hide the error that counts
    if (facts.transaction === "rollback" && binding.transaction === undefined) return rolledBack();
    let losses = 0;
    let avoid: string | undefined;
    for (;;) {
      let demand = this.#demand(statement, facts, options);
      if (demand.anew !== undefined && !binding.isBound)
        demand = await waitForFreshMirror(this.#context, demand.anew, call);
      const lease = binding.keep(demand) ?? binding.bind(demand, await acquire(this.#context, demand, call, avoid));
      this.#throwIfOver(facts, call);
      if (lease === undefined) continue;
      const { work } = this.#context;
      const isAlone = !this.isInTransaction;
      const ledgerUse = this.#ledgerUse(lease, facts, demand);
      const sentAt = this.#context.environment.now();
      if (isAlone) work.begin(demand.intent);
      try {
        const result = await this.#send(lease, statement, ledgerUse, call);
        if (hasCommitted(facts, demand.intent, result, binding.transaction)) {
          this.#commit = this.#committed(lease, facts, ledgerUse, sentAt);
        }
        binding.noteAnswer(statement, facts, demand, result, ledgerUse !== undefined);
        return result;
      } catch (error) {
        if (error instanceof Interrupted) throw this.#interrupt(error, facts, demand, lease, call);
        const failure = { error, statement, facts, demand, node: lease.node, losses };
        const decision = await judge(this.#context, binding, failure, call);
        const mayReplay = decision === "transaction-lost" || decision === "begun-read-only";
        if (!(mayReplay && (await this.#replay(failure, call)))) {
          if (decision === "surface" || decision === "begun-read-only") {
            binding.noteAnswer(statement, facts, demand, digestError(this.#context.driver.classify(error).code));
            throw error;
          }
          if (decision !== "rerun" && decision !== "misrouted") return this.#conclude(decision, failure);
          this.#throwIfReleased();
          this.#prepareRerun(decision, statement, failure);
          avoid = lease.node;
        }
        if (!(error instanceof NotSentError)) losses += 1;
      } finally {
        if (isAlone) work.end(demand.intent);
      }
    }
  }

  /** The statement gets a token of the commit ledger where its effect has to be exactly one. */
  #ledgerUse(lease: Lease, facts: StatementFacts, demand: Demand): LedgerUse | undefined {
    const { ledger, environment } = this.#context;
    if (ledger === undefined || demand.intent === "read") return undefined;
    const { transaction, isPinned } = this.#binding;
    const isCommit = facts.transaction === "commit" && lease.connection.status === "transaction";
    const isSingle = transaction === undefined && !isPinned && isSingleWrite(facts);
    if (!isSingle && !(isCommit && transaction?.hasWritten === true)) return undefined;
    return { ledger, token: environment.randomUuid(), send: isSingle ? "write" : "commit" };
  }

  #send(lease: Lease, statement: Statement, use: LedgerUse | undefined, call: Call): Promise<Result> {
    const context = this.#context;
    if (use === undefined) return run(context, lease, statement, call);
    const { ledger, token } = use;
    if (use.send === "commit") return commitWithToken(context, ledger, lease, token, call);
    return writeOnce(context, ledger, lease, statement, token, call);
  }

  #committed(
    { node }: Lease,
    { command }: StatementFacts,
    use: LedgerUse | undefined,
    sentAt: number,
  ): AcknowledgedCommit {
    const { cell, environment } = this.#context;
    const { epoch } = cell.current;
    return { command, node, epoch, token: use?.token, sentAt, answeredAt: environment.now() };
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
      return TO_PRIMARY;
    }
    return readDemand(context, options, this.#wroteAt);
  }

  /** Runs the lost transaction again, where it can be; the statement that failed is then sent as if nothing had happened. */
  async #replay({ error, statement, facts, node }: Failure, call: Call): Promise<boolean> {
    const { transaction, isPinned } = this.#binding;
    // sent again it would hand out from its start what the application has in part
    if (statement.channel?.isOpen === true) transaction?.recording.giveUp(handsOutRows(facts));
    if (transaction === undefined || transaction.recording.obstacle !== undefined || isPinned) return false;
    this.#throwIfReleased();
    try {
      await replay(this.#context, this.#binding, call, error);
      return true;
    } catch (cause) {
      this.#binding.release();
      const isMismatch = cause instanceof ReplayMismatchError;
      const lost = isMismatch ? cause : new TransactionLostError(node, cause);
      this.#context.counters.transactionsLost += 1;
      if (facts.transaction !== "commit") this.#lost = lost;
      throw lost;
    }
  }

  #prepareRerun(decision: "rerun" | "misrouted", statement: Statement, { facts, node }: Failure): void {
    const { counters, events, misrouted } = this.#context;
    const { command } = facts;
    this.#binding.release();
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
    decision: Exclude<Decision, "surface" | "rerun" | "misrouted" | "begun-read-only">,
    { error, facts, node }: Failure,
  ): Result {
    const obstacle = this.#binding.transaction?.recording.obstacle;
    if (decision !== "session-lost") this.#noteLostState(node, error);
    this.#binding.release();
    switch (decision) {
      case "gone-with-rollback":
        return rolledBack();
      case "commit-unknown":
        throw this.#commitUnknown(facts, node, error);
      case "transaction-lost": {
        this.#context.counters.transactionsLost += 1;
        const lost = new TransactionLostError(node, error, obstacle);
        // a statement that ends the transaction itself leaves nothing to acknowledge
        if (facts.transaction !== "commit") this.#lost = lost;
        throw lost;
      }
      case "session-lost":
        throw new SessionLostError(node, error);
      case "read-lost": {
        const message = `${facts.command}: the connection was lost on every attempt, last on ${node}`;
        throw new MirrorpoolError("READ_LOST", message, { node, cause: error, retryable: true });
      }
      case "stream-lost":
        throw new StreamLostError(facts.command, node, error);
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
    if (this.#binding.isPinned) this.#lostState = new SessionLostError(node, cause);
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
    const { transaction } = this.#binding;
    this.#context.counters.interrupted += 1;
    const why = this.#interruption(interrupted.reason, facts, call, lease.node);
    const isOver = facts.transaction === "begin" || facts.transaction === "rollback";
    const mayHaveEffect =
      transaction === undefined
        ? demand.intent === "write" && !isOver && !interrupted.isHarmless
        : transaction.hasWritten && ["commit", "prepare", "chain", "mixed"].includes(facts.transaction);
    this.#settling = interrupted.settled.then(() => {
      this.#settling = undefined;
      const { status } = lease.connection;
      // a transaction whose COMMIT is in doubt must not be called lost
      if (status === "idle" || (status === "closed" && mayHaveEffect)) this.#binding.endTransaction();
      if (status === "closed" || interrupted.isHarmless) this.#loseInterrupted(lease, interrupted);
    });
    return mayHaveEffect ? this.#commitUnknown(facts, lease.node, why) : why;
  }

  #loseInterrupted(lease: Lease, interrupted: Interrupted): void {
    if (this.isInTransaction) this.#lost = new TransactionLostError(lease.node, interrupted);
    this.#noteLostState(lease.node, interrupted);
    this.#binding.release();
  }

  #interruption(reason: "deadline" | "aborted", facts: StatementFacts, call: Call, node?: string): MirrorpoolError {
    if (reason === "aborted") return new AbortedError(call.signal?.reason);
    if (this.#context.isClosed && !call.isOver) return new PoolClosedError();
    return new DeadlineError(facts.command, node, this.#context.environment.now() - call.startedAt);
  }

  #commitUnknown(facts: StatementFacts, node: string, cause: unknown): CommitUnknownError {
    const { counters, events, environment } = this.#context;
    counters.commitUnknown += 1;
    this.#context.readYourWrites.note(environment.now()); // it may have happened: a later read must not miss it
    events.emit("commit-unknown", { node, command: facts.command });
    return new CommitUnknownError(facts.command, node, cause);
  }
}

const rolledBack = (): Result => ({ rows: [], rowCount: null, command: "ROLLBACK" });

/** What its text tells, and that a statement with a channel hands its rows out as they come. */
export function factsOf({ driver }: SessionContext, statement: Statement): StatementFacts {
  const facts = driver.inspect(statement.text);
  return statement.channel === undefined || facts.stream ? facts : { ...facts, stream: true };
}

/** A write that may run between a BEGIN and a COMMIT of ours and still mean the same. */
function isSingleWrite(facts: StatementFacts): boolean {
  return (
    facts.transactional && facts.transaction === "none" && facts.session === "none" && !facts.multiple && !facts.stream
  );
}
