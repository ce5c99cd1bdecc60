import type { Call } from "../call.ts";
import type { Result, Statement, StatementFacts } from "../driver.ts";
import { MirrorpoolError, NotSentError, SessionLostError } from "../errors.ts";
import { listenerFailed } from "../observe/listener-failed.ts";
import type { Lease } from "../pool/lease.ts";
import { Displaced } from "../pool/multiplexer/displaced.ts";
import type { Hedging } from "../routing/hedging.ts";
import type { Demand } from "../routing/route.ts";
import type { NodeId } from "../topology/node.ts";
import { type AcknowledgedCommit, noteAcknowledged } from "./acknowledged-commit.ts";
import { acquire, acquireAtHand, TO_PRIMARY, UNDER_WAY, type Wanted } from "./acquire.ts";
import { Aftermath, rolledBack } from "./aftermath.ts";
import { answerTo, goesWithBegin, mayWait } from "./begin.ts";
import { Binding } from "./binding.ts";
import { rollBack } from "./commit.ts";
import type { SessionContext } from "./context.ts";
import { demandOf, type StatementOptions } from "./demand.ts";
import { digestError } from "./digest.ts";
import { interruption } from "./ending.ts";
import { Errand } from "./errand.ts";
import { StateRefused } from "./establish.ts";
import { judge } from "./failure.ts";
import { waitForFreshMirror } from "./fresh-mirror.ts";
import { hasCommitted } from "./has-committed.ts";
import { runHedged } from "./hedge.ts";
import { isMirrorNeeded, untilMirrored } from "./mirrored.ts";
import { isPlainRead, isShareable } from "./plain-read.ts";
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
  /** Made when something has failed. */
  #lazyRecovery: Recovery | undefined;
  /** Of the statement that has just ended: its caller waits for a mirror to have it. Counted as work. */
  #unmirrored: AcknowledgedCommit | undefined;
  /** When it last wrote and gave its connection back: what it reads next may be what it has just written. */
  #wroteAt = Number.NEGATIVE_INFINITY;
  #isForOne = false;
  #isReleased = false;
  #releaseHow: "return" | "destroy" = "return";
  #onLost: ((error: SessionLostError) => void) | undefined;

  constructor(context: SessionContext) {
    this.#context = context;
    this.#binding = new Binding(context, (node) => this.#tellLost(node));
    this.#aftermath = new Aftermath(context, this.#binding);
  }

  get #recovery(): Recovery {
    this.#lazyRecovery ??= new Recovery(this.#context, this.#binding, this.#aftermath, () => this.#throwIfReleased());
    return this.#lazyRecovery;
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

  /** Runs the only statement of the session, which is given back with its end. */
  queryOnce(statement: Statement, options: StatementOptions, call: Call, facts: StatementFacts): Promise<Result> {
    this.#isForOne = true;
    return this.query(statement, options, call, facts);
  }

  /** Runs one statement, after those that were given before it. */
  query(
    statement: Statement,
    options: StatementOptions,
    call: Call,
    facts: StatementFacts = factsOf(this.#context, statement),
  ): Promise<Result> {
    if (!this.#isReadyFor(facts) || !this.#turns.tryTake()) return this.#queryInTurn(statement, options, call, facts);
    // most statements: each promise more would cost them something
    return this.#run(new Errand(statement, facts, options, call, "turn"));
  }

  /** Nothing has to be awaited or looked into before such a statement, nor after it. */
  #isReadyFor(facts: StatementFacts): boolean {
    const { durability } = this.#context.config;
    if (facts.transaction !== "none" || durability === "mirrored" || this.#isReleased) return false;
    return this.#binding.unsentBegin === undefined && !this.#aftermath.isConcerned;
  }

  async #queryInTurn(
    statement: Statement,
    options: StatementOptions,
    call: Call,
    facts: StatementFacts,
  ): Promise<Result> {
    if (!this.#turns.tryTake())
      await this.#turns.take(call, (reason) => interruption(this.#context, reason, facts, call));
    let result: Result;
    let unmirrored: AcknowledgedCommit | undefined;
    try {
      this.#throwIfReleased();
      const { settling } = this.#aftermath;
      if (settling !== undefined) await this.#settled(settling, facts, call);
      result = await this.#perform(statement, facts, options, call);
      unmirrored = this.#takeUnmirrored();
    } finally {
      this.#endTurn();
    }
    if (unmirrored !== undefined) await untilMirrored(this.#context, unmirrored, call);
    return result;
  }

  #endTurn(): void {
    if (this.#isForOne) this.#isReleased = true;
    if (this.#isReleased) this.#unbindWhenSettled();
    else this.#leaveSharedWhenSettled();
    this.#turns.end();
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
  #throwIfOver(facts: StatementFacts, call: Call, now: number): void {
    call.throwIfAborted();
    if (now >= call.deadline) throw interruption(this.#context, "deadline", facts, call);
  }

  /** At once, where no server has to be asked. */
  #perform(
    statement: Statement,
    facts: StatementFacts,
    options: StatementOptions,
    call: Call,
  ): Result | Promise<Result> {
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
    if (isDeferred) return this.#beginLater(statement, facts, call);
    return this.#run(new Errand(statement, facts, options, call, "part"));
  }

  /** A BEGIN that waits for the statement after it, with a connection in hand. */
  async #beginLater(statement: Statement, facts: StatementFacts, call: Call): Promise<Result> {
    const binding = this.#binding;
    for (;;) {
      const kept = binding.keep(TO_PRIMARY);
      const lease =
        kept ?? binding.bind(TO_PRIMARY, await this.#acquire(TO_PRIMARY, call, { state: binding.journal.state }));
      this.#throwIfOver(facts, call, this.#context.environment.now());
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
        if (begin !== undefined) {
          await this.#run(new Errand(begin.statement, begin.facts, {}, call, "part", { fixed: UNDER_WAY }));
        }
      }
      const begin = binding.unsentBegin?.statement;
      return await this.#run(new Errand(statement, facts, options, call, "part", { begin }));
    } catch (error) {
      binding.dropBegin();
      // what comes next must not run outside of the transaction that the application believes to be in
      if (binding.transaction === undefined) this.#aftermath.failUnbegun(error);
      throw error;
    }
  }

  async #run(errand: Errand): Promise<Result> {
    const binding = this.#binding;
    const { work, environment } = this.#context;
    const { facts, call } = errand;
    try {
      for (;;) {
        let lease = this.#takeAtHand(errand);
        if (lease === undefined) {
          const taken = await this.#take(errand);
          lease = binding.bind(errand.place, taken);
        }
        errand.sentAt = environment.now();
        this.#throwIfOver(facts, call, errand.sentAt);
        if (lease === undefined) continue;
        errand.ledgerUse = ledgerUseOf(this.#context, binding, lease, facts, errand.demand);
        const isAlone = binding.transaction === undefined;
        const { intent } = errand.place;
        if (isAlone) work.begin(intent);
        try {
          const result = await this.#send(errand, lease);
          this.#noteResult(errand, lease, result);
          return result;
        } catch (error) {
          const answer = await this.#recover(errand, lease, error);
          if (answer !== undefined) return answer;
        } finally {
          if (isAlone) work.end(intent);
        }
      }
    } finally {
      if (errand.extent === "turn") this.#endTurn();
    }
  }

  /** Finds out where the statement may go. @returns the connection where one is at hand */
  #takeAtHand(errand: Errand): Lease | undefined {
    const { journal } = this.#binding;
    errand.demand = demandOf(this.#context, journal, errand.statement, errand.facts, errand.options, this.#wroteAt);
    errand.state = journal.state;
    if (this.#mayWaitForMirror(errand)) return undefined;
    const kept = this.#aim(errand);
    if (kept !== undefined) return kept;
    const { place } = errand;
    const atHand = acquireAtHand(this.#context, place, errand.call, errand);
    return atHand && this.#binding.bind(place, atHand);
  }

  #mayWaitForMirror({ demand, begin }: Errand): boolean {
    return demand.anew !== undefined && !this.#binding.isBound && begin === undefined;
  }

  /** Says what its node has to be. @returns the connection that the session has, where the statement goes on with it */
  #aim(errand: Errand): Lease | undefined {
    const binding = this.#binding;
    const { statement, facts, demand, begin, fixed } = errand;
    errand.place = begin !== undefined ? UNDER_WAY : (fixed ?? demand);
    const kept = binding.keep(errand.place);
    errand.isPlain = kept === undefined && isPlainRead(binding, facts, errand.place);
    const mayShare = errand.isPlain && !errand.isDisplaced && isShareable(this.#context, statement);
    errand.shareable = mayShare ? statement.text : undefined;
    return kept;
  }

  /** Not bound to yet: that has to be done in the tick in which the statement is sent. */
  #take(errand: Errand): Promise<Lease> {
    if (this.#mayWaitForMirror(errand)) return this.#takeFresh(errand);
    // without any state there is none that could be refused
    if (errand.state === undefined) return acquire(this.#context, errand.place, errand.call, errand);
    return this.#acquire(errand.place, errand.call, errand);
  }

  async #takeFresh(errand: Errand): Promise<Lease> {
    const { anew } = errand.demand;
    if (anew !== undefined) errand.demand = await waitForFreshMirror(this.#context, anew, errand.call);
    this.#aim(errand);
    return this.#acquire(errand.place, errand.call, errand);
  }

  #send(errand: Errand, lease: Lease): Promise<Result> {
    const { statement, begin, call } = errand;
    const { hedging } = this.#context;
    if (begin !== undefined) return run(this.#context, lease, statement, call, begin);
    if (errand.isPlain && hedging !== undefined) return this.#sendHedged(errand, lease, hedging);
    return send(this.#context, lease, statement, errand.ledgerUse, call);
  }

  #sendHedged({ statement, place, shareable, call }: Errand, lease: Lease, hedging: Hedging): Promise<Result> {
    return runHedged(this.#context, hedging, { statement, demand: place, lease, shareable }, call, (second) =>
      this.#binding.move(second),
    );
  }

  #noteResult(
    { statement, facts, demand, begin, ledgerUse, sentAt, shareable }: Errand,
    lease: Lease,
    result: Result,
  ): void {
    const binding = this.#binding;
    if (begin !== undefined) binding.noteBegun();
    if (hasCommitted(facts, demand.intent, result, binding.transaction)) {
      this.#acknowledge(answeredCommit(this.#context, lease, facts, ledgerUse, sentAt));
    }
    binding.noteAnswer(statement, facts, demand, result, ledgerUse !== undefined);
    if (shareable !== undefined && !lease.isShared) this.#notePace(lease, statement, sentAt);
  }

  /** @returns an answer all the same; undefined where the statement is to be sent again. @throws what its caller is told */
  async #recover(errand: Errand, lease: Lease, error: unknown): Promise<Result | undefined> {
    const binding = this.#binding;
    const { statement, facts, demand, call, losses, conflicts } = errand;
    const isFirst = errand.begin !== undefined;
    if (error instanceof Interrupted) throw this.#aftermath.interrupt(error, facts, demand, lease, call);
    if (error instanceof Displaced) {
      binding.release();
      errand.isDisplaced = true;
      return undefined;
    }
    const failure = { error, statement, facts, demand, node: lease.node, losses, conflicts, isFirst };
    const decision = await judge(this.#context, binding, failure, call);
    if (decision === "conflict") {
      await this.#recovery.repeat(failure, lease, call);
      errand.conflicts += 1;
      return undefined;
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
      errand.avoid = lease.node;
    }
    if (!(error instanceof NotSentError)) errand.losses += 1;
    return undefined;
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
  async #acquire(demand: Demand, call: Call, wanted: Wanted): Promise<Lease> {
    try {
      return await acquire(this.#context, demand, call, wanted);
    } catch (error) {
      if (!(error instanceof StateRefused)) throw error;
      this.#binding.journal.clear();
      throw new SessionLostError(error.node, error.cause, "what the session had set could not be set again");
    }
  }
}

/** What its text tells, and that a statement with a channel hands its rows out as they come. */
export function factsOf({ driver }: SessionContext, statement: Statement): StatementFacts {
  const facts = driver.inspect(statement.text);
  return statement.channel === undefined || facts.stream ? facts : { ...facts, stream: true };
}
