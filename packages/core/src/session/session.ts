import type { Call } from "../call.ts";
import type { Result, Statement, StatementFacts } from "../driver.ts";
import { MirrorpoolError, SessionLostError } from "../errors.ts";
import { listenerFailed } from "../observe/listener-failed.ts";
import type { NodeId } from "../topology/node.ts";
import { type AcknowledgedCommit, noteAcknowledged } from "./acknowledged-commit.ts";
import { TO_PRIMARY, UNDER_WAY } from "./acquire.ts";
import { Aftermath, rolledBack } from "./aftermath.ts";
import { answerTo, goesWithBegin, mayWait } from "./begin.ts";
import { Binding } from "./binding.ts";
import type { SessionContext } from "./context.ts";
import type { StatementOptions } from "./demand.ts";
import { interruption } from "./ending.ts";
import { Errand } from "./errand.ts";
import { type ErrandOwner, Errands } from "./errands.ts";
import { isMirrorNeeded, untilMirrored } from "./mirrored.ts";
import { Turns } from "./turns.ts";

/**
 * What a caller holds: a virtual connection. It costs nothing until the first statement says where it may go, and may be
 * bound to another connection between two statements, unless a transaction or state that cannot move ties it to one.
 */
export class Session implements ErrandOwner {
  readonly #context: SessionContext;
  readonly #binding: Binding;
  readonly #turns = new Turns();
  readonly #aftermath: Aftermath;
  readonly #errands: Errands;
  /** Of the statement that has just ended: its caller waits for a mirror to have it. Counted as work. */
  #unmirrored: AcknowledgedCommit | undefined;
  /**
   * When it last wrote and gave its connection back: what it reads next may be what it has just written. Infinite where it has to
   * stay on the primary.
   */
  wroteAt: number = Number.NEGATIVE_INFINITY;
  #isForOne = false;
  #isReleased = false;
  #releaseHow: "return" | "destroy" = "return";
  #onLost: ((error: SessionLostError) => void) | undefined;

  constructor(context: SessionContext) {
    this.#context = context;
    this.#binding = new Binding(context, (node) => this.#tellLost(node));
    this.#aftermath = new Aftermath(context, this.#binding);
    this.#errands = new Errands(context, this.#binding, this.#aftermath, this);
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
    return this.#errands.run(new Errand(statement, facts, options, call, "turn"));
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
      this.throwIfReleased();
      const { settling } = this.#aftermath;
      if (settling !== undefined) await this.#settled(settling, facts, call);
      result = await this.#perform(statement, facts, options, call);
      unmirrored = this.#takeUnmirrored();
    } finally {
      this.endTurn();
    }
    if (unmirrored !== undefined) await untilMirrored(this.#context, unmirrored, call);
    return result;
  }

  endTurn(): void {
    if (this.#isForOne) this.#isReleased = true;
    if (this.#isReleased) this.#unbindWhenSettled();
    else this.#leaveWhenSettled();
    this.#turns.end();
  }

  /** What the application may be told at once is noted; the work of what has to wait for a mirror is not over yet. */
  acknowledge(commit: AcknowledgedCommit): void {
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
    this.wroteAt = Math.max(this.wroteAt, commit.answeredAt);
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

  /** Gives everything back, and is as new. @returns false where something is under way, or to be told: nothing has changed then */
  renew(): boolean {
    if (this.#isReleased || this.#turns.isTaken || this.#aftermath.isConcerned) return false;
    this.#unbind();
    this.#binding.journal.clear();
    this.wroteAt = Number.NEGATIVE_INFINITY;
    return true;
  }

  #unbindWhenSettled(): void {
    const { settling } = this.#aftermath;
    if (settling === undefined) this.#unbind();
    else void settling.then(() => this.#unbind());
  }

  #unbind(): void {
    this.#binding.dropBegin();
    this.#binding.release(this.#releaseHow);
  }

  /**
   * A place on a shared connection is for one statement; the next one may need a connection to itself. One that others wait for is
   * theirs, where the session needs nothing of it and has no statement waiting.
   */
  #leaveWhenSettled(): void {
    const { settling } = this.#aftermath;
    if (settling !== undefined) {
      void settling.then(() => this.#binding.leaveShared());
      return;
    }
    this.#binding.leaveShared();
    if (this.#turns.isAwaited) return;
    // what it reads next has to be as new as what it has just seen
    if (this.#binding.leaveToOthers()) this.wroteAt = Number.POSITIVE_INFINITY;
  }

  /** @throws {MirrorpoolError} once the session was given back: nobody waits for its statements any more */
  throwIfReleased(): void {
    if (this.#isReleased) throw new MirrorpoolError("SESSION_RELEASED", "the session was given back already");
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
    return this.#errands.run(new Errand(statement, facts, options, call, "part"));
  }

  /** A BEGIN that waits for the statement after it, with a connection in hand. */
  async #beginLater(statement: Statement, facts: StatementFacts, call: Call): Promise<Result> {
    const binding = this.#binding;
    for (;;) {
      const kept = binding.keep(TO_PRIMARY);
      const lease =
        kept ??
        binding.bind(TO_PRIMARY, await this.#errands.acquire(TO_PRIMARY, call, { state: binding.journal.state }));
      this.#errands.throwIfOver(facts, call, this.#context.environment.now());
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
          await this.#errands.run(new Errand(begin.statement, begin.facts, {}, call, "part", { fixed: UNDER_WAY }));
        }
      }
      const begin = binding.unsentBegin?.statement;
      return await this.#errands.run(new Errand(statement, facts, options, call, "part", { begin }));
    } catch (error) {
      binding.dropBegin();
      // what comes next must not run outside of the transaction that the application believes to be in
      if (binding.transaction === undefined) this.#aftermath.failUnbegun(error);
      throw error;
    }
  }

  /** Waits for the connection of an interrupted statement to come to rest. */
  #settled(settling: Promise<void>, facts: StatementFacts, call: Call): Promise<void> {
    return call.guard(settling, (cause) =>
      interruption(this.#context, cause === "aborted" ? "aborted" : "deadline", facts, call),
    );
  }
}

/** What its text tells, and that a statement with a channel hands its rows out as they come. */
export function factsOf({ driver }: SessionContext, statement: Statement): StatementFacts {
  const facts = driver.inspect(statement.text);
  return statement.channel === undefined || facts.stream ? facts : { ...facts, stream: true };
}
