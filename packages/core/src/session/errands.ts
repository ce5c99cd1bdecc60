import type { Call } from "../call.ts";
import type { Result, Statement, StatementFacts } from "../driver.ts";
import { SessionLostError } from "../errors.ts";
import type { Lease } from "../pool/lease.ts";
import { Displaced } from "../pool/multiplexer/displaced.ts";
import type { Hedging } from "../routing/hedging.ts";
import type { Demand } from "../routing/route.ts";
import type { AcknowledgedCommit } from "./acknowledged-commit.ts";
import { acquire, acquireAtHand, UNDER_WAY, type Wanted } from "./acquire.ts";
import type { Aftermath } from "./aftermath.ts";
import type { Binding } from "./binding.ts";
import { rollBack } from "./commit.ts";
import type { SessionContext } from "./context.ts";
import { demandOf } from "./demand.ts";
import { digestError } from "./digest.ts";
import { interruption } from "./ending.ts";
import type { Errand } from "./errand.ts";
import { StateRefused } from "./establish.ts";
import { judge } from "./failure.ts";
import { waitForFreshMirror } from "./fresh-mirror.ts";
import { hasCommitted } from "./has-committed.ts";
import { runHedged } from "./hedge.ts";
import { isPlainRead, isShareable } from "./plain-read.ts";
import { Recovery } from "./recovery.ts";
import { Interrupted, run } from "./run.ts";
import { answeredCommit, ledgerUseOf, send } from "./send.ts";

/** The session whose statements these are. */
export interface ErrandOwner {
  /** When it last wrote and gave its connection back: what it reads next may be what it has just written. */
  readonly wroteAt: number;
  throwIfReleased(): void;
  /** A commit was answered. */
  acknowledge(commit: AcknowledgedCommit): void;
  endTurn(): void;
}

/** Finds a connection for each statement of a session, sends it, and sends it again where that is right. */
export class Errands {
  readonly #context: SessionContext;
  readonly #binding: Binding;
  readonly #aftermath: Aftermath;
  readonly #owner: ErrandOwner;
  /** Made when something has failed. */
  #lazyRecovery: Recovery | undefined;

  constructor(context: SessionContext, binding: Binding, aftermath: Aftermath, owner: ErrandOwner) {
    this.#context = context;
    this.#binding = binding;
    this.#aftermath = aftermath;
    this.#owner = owner;
  }

  get #recovery(): Recovery {
    this.#lazyRecovery ??= new Recovery(this.#context, this.#binding, this.#aftermath, () =>
      this.#owner.throwIfReleased(),
    );
    return this.#lazyRecovery;
  }

  /** Runs it until it is answered, by whichever node that is. */
  async run(errand: Errand): Promise<Result> {
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
        this.throwIfOver(facts, call, errand.sentAt);
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
      if (errand.extent === "turn") this.#owner.endTurn();
    }
  }

  /** Finds out where the statement may go. @returns the connection where one is at hand */
  #takeAtHand(errand: Errand): Lease | undefined {
    const { journal } = this.#binding;
    errand.demand = demandOf(
      this.#context,
      journal,
      errand.statement,
      errand.facts,
      errand.options,
      this.#owner.wroteAt,
    );
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
    return this.acquire(errand.place, errand.call, errand);
  }

  async #takeFresh(errand: Errand): Promise<Lease> {
    const { anew } = errand.demand;
    if (anew !== undefined) errand.demand = await waitForFreshMirror(this.#context, anew, errand.call);
    this.#aim(errand);
    return this.acquire(errand.place, errand.call, errand);
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
      this.#owner.acknowledge(answeredCommit(this.#context, lease, facts, ledgerUse, sentAt));
    }
    binding.noteAnswer(statement, facts, demand, result, ledgerUse !== undefined);
    if (shareable !== undefined && !lease.isShared) this.#notePace(lease, statement, sentAt);
  }

  /** @returns an answer all the same; undefined where the statement is to be sent again. @throws what its caller is told */
  async #recover(errand: Errand, lease: Lease, error: unknown): Promise<Result | undefined> {
    const binding = this.#binding;
    const { statement, facts, demand, call, losses, refusals, conflicts } = errand;
    const isFirst = errand.begin !== undefined;
    if (error instanceof Interrupted) throw this.#aftermath.interrupt(error, facts, demand, lease, call);
    if (error instanceof Displaced) {
      binding.release();
      errand.isDisplaced = true;
      return undefined;
    }
    const failure = { error, statement, facts, demand, node: lease.node, losses, refusals, conflicts, isFirst };
    const { decision, counts } = await judge(this.#context, binding, failure, call);
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
      this.#owner.throwIfReleased();
      if (isFirst) await rollBack(this.#context, lease, call);
      this.#recovery.prepareRerun(decision, failure);
      if (counts === "loss") await this.#recovery.rest(losses, call);
      errand.avoid = lease.node;
    }
    if (counts === "loss") errand.losses += 1;
    if (counts === "refusal") errand.refusals += 1;
    return undefined;
  }

  /** On a connection to itself: so it shows whether it may share one the next time. */
  #notePace({ node }: Lease, { text }: Statement, sentAt: number): void {
    this.#context.pools.get(node)?.multiplexer.noteAlone(text, this.#context.environment.now() - sentAt);
  }

  /** A connection with the session's state. @throws {SessionLostError} when that cannot be set up any more */
  async acquire(demand: Demand, call: Call, wanted: Wanted): Promise<Lease> {
    try {
      return await acquire(this.#context, demand, call, wanted);
    } catch (error) {
      if (!(error instanceof StateRefused)) throw error;
      this.#binding.journal.clear();
      throw new SessionLostError(error.node, error.cause, "what the session had set could not be set again");
    }
  }

  /** A call that is over sends nothing any more: its outcome is certain then. */
  throwIfOver(facts: StatementFacts, call: Call, now: number): void {
    call.throwIfAborted();
    if (now >= call.deadline) throw interruption(this.#context, "deadline", facts, call);
  }
}
