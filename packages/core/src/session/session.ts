import type { Call } from "../call.ts";
import type { Result, Statement, StatementFacts } from "../driver.ts";
import { MirrorpoolError, NotSentError, SessionLostError } from "../errors.ts";
import { listenerFailed } from "../observe/listener-failed.ts";
import type { Lease } from "../pool/lease.ts";
import { Displaced } from "../pool/multiplexer/displaced.ts";
import type { Demand } from "../routing/route.ts";
import type { NodeId } from "../topology/node.ts";
import { type AcknowledgedCommit, noteAcknowledged } from "./acknowledged-commit.ts";
import { acquire, TO_PRIMARY, UNDER_WAY } from "./acquire.ts";
import { Aftermath, rolledBack } from "./aftermath.ts";
import { answerTo, goesWithBegin, mayWait } from "./begin.ts";
import { Binding } from "./binding.ts";
import { rollBack } from "./commit.ts";
import type { SessionContext } from "./context.ts";
import { demandOf, type StatementOptions } from "./demand.ts";
import { digestError } from "./digest.ts";
import { interruption } from "./ending.ts";
import { StateRefused } from "./establish.ts";
import { judge } from "./failure.ts";
import { waitForFreshMirror } from "./fresh-mirror.ts";
import { hasCommitted } from "./has-committed.ts";
import { isMirrorNeeded, untilMirrored } from "./mirrored.ts";
import { Recovery } from "./recovery.ts";
import { Interrupted, run } from "./run.ts";
import { answeredCommit, ledgerUseOf, send } from "./send.ts";
import { Turns } from "./turns.ts";

/**
 * What a caller holds: a virtual connection. It costs nothing until the first statement says where it may go, and may be
 * bound to another connection between two statements, unless a transaction or state that cannot move ties it to one.
 */
export class Session {
  readonly #context: SessionContext;
  readonly #binding: Binding;
  readonly #turns = new Turns();
  readonly #aftermath: Aftermath;
  readonly #recovery: Recovery;
  /** Of the statement that has just ended: its caller waits for a mirror to have it. Counted as work. */
  #unmirrored: AcknowledgedCommit | undefined;
  /** When it last wrote and gave its connection back: what it reads next may be what it has just written. */
  #wroteAt = Number.NEGATIVE_INFINITY;
  #isReleased = false;
  #releaseHow: "return" | "destroy" = "return";
  #onLost: ((error: SessionLostError) => void) | undefined;

  constructor(context: SessionContext) {
    this.#context = context;
    this.#binding = new Binding(context, (node) => this.#tellLost(node));
    this.#aftermath = new Aftermath(context, this.#binding);
    this.#recovery = new Recovery(context, this.#binding, this.#aftermath, () => this.#throwIfReleased());
  }

  /** What a statement would find now: a transaction that was lost counts as failed until a ROLLBACK acknowledges it. */
  get transactionStatus(): "none" | "open" | "failed" {
    return this.#aftermath.isFailed ? "failed" : this.#binding.transactionStatus;
  }

  /** Calls back as soon as state that cannot move is lost, also where no statement is under way to be told. One listener. */
  onLost(listener: (error: SessionLostError) => void): void {
    this.#onLost = listener;
  }

  /** Called by the connection that is being lost, with others perhaps: nothing may be thrown into its face. */
  #tellLost(node: NodeId): void {
    try {
      this.#onLost?.(new SessionLostError(node, undefined));
    } catch (error) {
      listenerFailed("onLost", error);
    }
  }

  /** The transaction that was lost, until a ROLLBACK acknowledges it. */
  get lost(): MirrorpoolError | undefined {
    return this.#aftermath.lost;
  }

  get isInTransaction(): boolean {
    return this.#binding.transaction !== undefined || this.#binding.unsentBegin !== undefined;
  }

  /** Runs one statement, after those that were given before it. */
  async query(
    statement: Statement,
    options: StatementOptions,
    call: Call,
    facts: StatementFacts = factsOf(this.#context, statement),
  ): Promise<Result> {
    if (!this.#turns.tryTake())
      await this.#turns.take(call, (reason) => interruption(this.#context, reason, facts, call));
    let result: Result;
    let unmirrored: AcknowledgedCommit | undefined;
    try {
      this.#throwIfReleased();
      result = await this.#perform(statement, facts, options, call);
      unmirrored = this.#takeUnmirrored();
    } finally {
      if (this.#isReleased) this.#unbindWhenSettled();
      else this.#leaveSharedWhenSettled();
      this.#turns.end();
    }
    if (unmirrored !== undefined) await untilMirrored(this.#context, unmirrored, call);
    return result;
  }

  /** What the application may be told at once is noted; the work of what has to wait for a mirror is not over yet. */
  #acknowledge(commit: AcknowledgedCommit): void {
    if (!isMirrorNeeded(this.#context)) {
      noteAcknowledged(this.#context, commit);
      return;
    }
    this.#unmirrored = commit;
    this.#context.work.begin("write");
  }

  /** Waiting for a mirror needs no connection. */
  #takeUnmirrored(): AcknowledgedCommit | undefined {
    const commit = this.#unmirrored;
    if (commit === undefined) return undefined;
    this.#unmirrored = undefined;
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
    const release = (): void => {
      this.#binding.dropBegin();
      this.#binding.release(this.#releaseHow);
    };
    const { settling } = this.#aftermath;
    if (settling === undefined) release();
    else void settling.then(release);
  }

  /** A place on a shared connection is for one statement; the next one may need a connection to itself. */
  #leaveSharedWhenSettled(): void {
    const { settling } = this.#aftermath;
    if (settling === undefined) this.#binding.leaveShared();
    else void settling.then(() => this.#binding.leaveShared());
  }

  /** @throws {MirrorpoolError} once the session was given back: nobody waits for its statements any more */
  #throwIfReleased(): void {
    if (this.#isReleased) throw new MirrorpoolError("SESSION_RELEASED", "the session was given back already");
  }

  /** A call that is over sends nothing any more: its outcome is certain then. */
  #throwIfOver(facts: StatementFacts, call: Call): void {
    call.throwIfAborted();
    if (call.isOver) throw interruption(this.#context, "deadline", facts, call);
  }

  async #perform(statement: Statement, facts: StatementFacts, options: StatementOptions, call: Call): Promise<Result> {
    const { settling } = this.#aftermath;
    if (settling !== undefined) await this.#settled(settling, facts, call);
    const answer = this.#aftermath.answer(facts);
    if (answer !== undefined) return answer;
    const binding = this.#binding;
    const { transaction } = facts;
    if (binding.unsentBegin !== undefined) {
      if (transaction !== "commit" && transaction !== "rollback")
        return this.#runFirst(statement, facts, options, call);
      binding.dropBegin(); // no server has begun anything
      return answerTo(facts);
    }
    // an ORM also rolls back after a COMMIT that was lost: it would wait for a new primary, and hide the error that counts
    if (transaction === "rollback" && binding.transaction === undefined) return rolledBack();
    const isDeferred = binding.transaction === undefined && !binding.isPinned && mayWait(statement, facts);
    return isDeferred ? this.#beginLater(statement, facts, call) : this.#run(statement, facts, options, call);
  }

  /** A BEGIN that waits for the statement after it, with a connection in hand. */
  async #beginLater(statement: Statement, facts: StatementFacts, call: Call): Promise<Result> {
    const binding = this.#binding;
    for (;;) {
      const kept = binding.keep(TO_PRIMARY);
      const lease = kept ?? binding.bind(TO_PRIMARY, await this.#acquire(TO_PRIMARY, call, undefined, undefined));
      this.#throwIfOver(facts, call);
      if (lease !== undefined) break;
    }
    binding.holdBegin({ statement, facts });
    return answerTo(facts);
  }

  /** The first statement of a transaction whose BEGIN has waited for it. */
  async #runFirst(statement: Statement, facts: StatementFacts, options: StatementOptions, call: Call): Promise<Result> {
    const binding = this.#binding;
    try {
      if (!goesWithBegin(facts)) {
        const begin = binding.dropBegin();
        if (begin !== undefined) await this.#run(begin.statement, begin.facts, {}, call, UNDER_WAY);
      }
      return await this.#run(statement, facts, options, call);
    } catch (error) {
      binding.dropBegin();
      // what comes next must not run outside of the transaction that the application believes to be in
      if (binding.transaction === undefined) this.#aftermath.failUnbegun(error);
      throw error;
    }
  }

  /** @param fixed what it asks of its node, where its text does not say it */
  async #run(
    statement: Statement,
    facts: StatementFacts,
    options: StatementOptions,
    call: Call,
    fixed?: Demand,
  ): Promise<Result> {
    const binding = this.#binding;
    const begin = binding.unsentBegin;
    const isFirst = begin !== undefined;
    let losses = 0;
    let conflicts = 0;
    let avoid: string | undefined;
    let isDisplaced = false;
    for (;;) {
      let demand = demandOf(this.#context, binding.journal, statement, facts, options, this.#wroteAt);
      if (demand.anew !== undefined && !binding.isBound && !isFirst)
        demand = await waitForFreshMirror(this.#context, demand.anew, call);
      const place = isFirst ? UNDER_WAY : (fixed ?? demand);
      const kept = binding.keep(place);
      const isShareable = kept === undefined && !isDisplaced && this.#isShareable(statement, facts, place);
      const shareable = isShareable ? statement.text : undefined;
      const lease = kept ?? binding.bind(place, await this.#acquire(place, call, avoid, shareable));
      this.#throwIfOver(facts, call);
      if (lease === undefined) continue;
      const { work } = this.#context;
      const isAlone = binding.transaction === undefined;
      const ledgerUse = ledgerUseOf(this.#context, binding, lease, facts, demand);
      const sentAt = this.#context.environment.now();
      if (isAlone) work.begin(place.intent);
      try {
        const result = await (isFirst
          ? run(this.#context, lease, statement, call, begin.statement)
          : send(this.#context, lease, statement, ledgerUse, call));
        if (isFirst) binding.noteBegun();
        if (hasCommitted(facts, demand.intent, result, binding.transaction)) {
          this.#acknowledge(answeredCommit(this.#context, lease, facts, ledgerUse, sentAt));
        }
        binding.noteAnswer(statement, facts, demand, result, ledgerUse !== undefined);
        if (isShareable && !lease.isShared) this.#notePace(lease, statement, sentAt);
        return result;
      } catch (error) {
        if (error instanceof Interrupted) throw this.#aftermath.interrupt(error, facts, demand, lease, call);
        if (error instanceof Displaced) {
          binding.release();
          isDisplaced = true;
          continue;
        }
        const failure = { error, statement, facts, demand, node: lease.node, losses, conflicts, isFirst };
        const decision = await judge(this.#context, binding, failure, call);
        if (decision === "conflict") {
          await this.#recovery.repeat(failure, lease, call);
          conflicts += 1;
          continue;
        }
        const orSurface = decision === "begun-read-only" || decision === "stale";
        const mayReplay = decision === "transaction-lost" || orSurface;
        if (!(mayReplay && (await this.#recovery.replay(failure, call)))) {
          if (decision === "surface" || orSurface) {
            if (isFirst) binding.noteBegun();
            binding.noteAnswer(statement, facts, demand, digestError(this.#context.driver.classify(error).code));
            throw error;
          }
          if (decision !== "rerun" && decision !== "misrouted") return this.#aftermath.conclude(decision, failure);
          this.#throwIfReleased();
          if (isFirst) await rollBack(this.#context, lease, call);
          this.#recovery.prepareRerun(decision, statement, failure);
          avoid = lease.node;
        }
        if (!(error instanceof NotSentError)) losses += 1;
      } finally {
        if (isAlone) work.end(place.intent);
      }
    }
  }

  /** A read that leaves nothing on its connection, and needs nothing there. */
  #isShareable(statement: Statement, facts: StatementFacts, demand: Demand): boolean {
    const { driver, config } = this.#context;
    if (demand.intent !== "read" || !config.pool.shareReads || driver.mayPipeline?.(statement) !== true) return false;
    if (facts.session !== "none" || facts.transaction !== "none" || facts.multiple || facts.stream) return false;
    const { isPinned, transaction, journal } = this.#binding;
    return !isPinned && transaction === undefined && journal.state === undefined;
  }

  /** On a connection to itself: so it shows whether it may share one the next time. */
  #notePace({ node }: Lease, { text }: Statement, sentAt: number): void {
    this.#context.pools.get(node)?.multiplexer.noteAlone(text, this.#context.environment.now() - sentAt);
  }

  /** Waits for the connection of an interrupted statement to come to rest. */
  #settled(settling: Promise<void>, facts: StatementFacts, call: Call): Promise<void> {
    return call.wait<void>(
      (resolve) => void settling.then(resolve),
      (cause) => interruption(this.#context, cause === "aborted" ? "aborted" : "deadline", facts, call),
    );
  }

  /** A connection with the session's state. @throws {SessionLostError} when that cannot be set up any more */
  async #acquire(demand: Demand, call: Call, avoid: string | undefined, shareable: string | undefined): Promise<Lease> {
    const { journal } = this.#binding;
    try {
      return await acquire(this.#context, demand, call, { state: journal.state, avoid, shareable });
    } catch (error) {
      if (!(error instanceof StateRefused)) throw error;
      journal.clear();
      throw new SessionLostError(error.node, error.cause, "what the session had set could not be set again");
    }
  }
}

/** What its text tells, and that a statement with a channel hands its rows out as they come. */
export function factsOf({ driver }: SessionContext, statement: Statement): StatementFacts {
  const facts = driver.inspect(statement.text);
  return statement.channel === undefined || facts.stream ? facts : { ...facts, stream: true };
}
