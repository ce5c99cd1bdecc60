import type { Call } from "../call.ts";
import type { Result, StatementFacts } from "../driver.ts";
import { MirrorpoolError, SessionLostError, StreamLostError, TransactionLostError } from "../errors.ts";
import type { Lease } from "../pool/lease.ts";
import type { Demand } from "../routing/route.ts";
import type { Binding } from "./binding.ts";
import { rollBack } from "./commit.ts";
import type { SessionContext } from "./context.ts";
import { commitUnknown, interruption } from "./ending.ts";
import type { Failure } from "./failure.ts";
import type { Decision } from "./retry.ts";
import type { Interrupted } from "./run.ts";

/** Time for the ROLLBACK of what was interrupted; nobody waits for it but the session's next statement. */
const ROLLBACK_MS = 1000;

export const rolledBack = (): Result => ({ rows: [], rowCount: null, command: "ROLLBACK" });

/** What a session has lost with a connection, until the application was told and has acknowledged it. */
export class Aftermath {
  readonly #context: SessionContext;
  readonly #binding: Binding;
  #lost: MirrorpoolError | undefined;
  /** It was never begun on any server. */
  #isUnbegun = false;
  /** State that was lost together with something else, which the application was told first. */
  #lostState: SessionLostError | undefined;
  #settling: Promise<void> | undefined;

  constructor(context: SessionContext, binding: Binding) {
    this.#context = context;
    this.#binding = binding;
  }

  /** The transaction that was lost, until a ROLLBACK acknowledges it; undefined also where it had not begun: nothing was lost. */
  get lost(): MirrorpoolError | undefined {
    return this.#isUnbegun ? undefined : this.#lost;
  }

  /** The application has to roll back before anything else. */
  get isFailed(): boolean {
    return this.#lost !== undefined;
  }

  /** Resolves when the connection of an interrupted statement has come to rest; undefined without one. */
  get settling(): Promise<void> | undefined {
    return this.#settling;
  }

  /** It has something to say of the next statement, or to wait for before it. */
  get isConcerned(): boolean {
    return this.#lost !== undefined || this.#lostState !== undefined || this.#settling !== undefined;
  }

  /** What a statement is answered in the place of a server; undefined where nothing was lost. @throws what was lost */
  answer(facts: StatementFacts): Result | undefined {
    if (this.#lost !== undefined) return this.#answerForLost(this.#lost, facts);
    if (this.#lostState !== undefined) return this.#answerForLostState(this.#lostState, facts);
    return undefined;
  }

  /** A statement that ends the transaction itself leaves nothing to acknowledge. @returns the error, counted */
  loseTransaction(lost: MirrorpoolError, facts: StatementFacts): MirrorpoolError {
    this.#context.counters.transactionsLost += 1;
    if (facts.transaction !== "commit") this.#setLost(lost);
    return lost;
  }

  /**
   * The first statement of a transaction has failed, and none is open on any server: the application believes that there is one,
   * which has failed with this error.
   */
  failUnbegun(error: unknown): void {
    if (this.#lost !== undefined) return;
    this.#lost = new TransactionLostError(this.#context.cell.current.reign?.node ?? "no node", error);
    this.#isUnbegun = true;
  }

  #setLost(lost: MirrorpoolError | undefined): void {
    this.#lost = lost;
    this.#isUnbegun = false;
  }

  /** Ends what was tied to the lost connection, and says what that means for the statement. */
  conclude(
    decision: Exclude<Decision, "surface" | "rerun" | "misrouted" | "begun-read-only" | "stale" | "conflict">,
    { error, facts, node }: Failure,
  ): Result {
    const obstacle = this.#binding.transaction?.recording.obstacle;
    const isInDoubt = decision === "commit-unknown" && this.#binding.journal.isPending;
    if (decision !== "session-lost") this.#noteLostState(node, error, isInDoubt);
    else this.#binding.journal.clear();
    this.#binding.release();
    switch (decision) {
      case "gone-with-rollback":
        return rolledBack();
      case "commit-unknown":
        throw commitUnknown(this.#context, facts, node, error);
      case "transaction-lost":
        throw this.loseTransaction(new TransactionLostError(node, error, obstacle), facts);
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
    if (isEnd) this.#setLost(undefined);
    if (facts.transaction === "rollback") return rolledBack();
    throw lost;
  }

  /** State that cannot move goes with its connection; so does what a COMMIT has set of which nobody knows whether it was. */
  #noteLostState(node: string, cause: unknown, isInDoubt: boolean): void {
    const { isPinned, journal } = this.#binding;
    if (!isPinned && !isInDoubt) return;
    this.#lostState = new SessionLostError(node, cause);
    journal.clear();
  }

  #answerForLostState(lost: SessionLostError, facts: StatementFacts): Result {
    // a ROLLBACK asks for nothing that could be missing
    if (facts.transaction === "rollback") return rolledBack();
    this.#lostState = undefined;
    throw lost;
  }

  /** The call is over while its statement runs on: the connection is settled behind its back. */
  interrupt(
    interrupted: Interrupted,
    facts: StatementFacts,
    demand: Demand,
    lease: Lease,
    call: Call,
  ): MirrorpoolError {
    const { transaction, isPinned } = this.#binding;
    this.#context.counters.interrupted += 1;
    this.#binding.noteInterruption(facts);
    const why = interruption(this.#context, interrupted.reason, facts, call, lease.node);
    const isOver = facts.transaction === "begin" || facts.transaction === "rollback";
    const mayHaveEffect =
      transaction === undefined
        ? demand.intent === "write" && !isOver && !interrupted.isHarmless
        : transaction.hasWritten && ["commit", "prepare", "chain", "mixed"].includes(facts.transaction);
    this.#settling = this.#comeToRest(interrupted, lease).then(() => {
      this.#settling = undefined;
      const { status } = lease.connection;
      const isInDoubt = status === "closed" && mayHaveEffect && this.#binding.journal.isPending;
      if (status === "idle") this.#binding.undo();
      // a transaction whose COMMIT is in doubt must not be called lost
      else if (status === "closed" && mayHaveEffect) this.#binding.endTransaction();
      if (status === "closed" || (interrupted.isHarmless && !isPinned))
        this.#loseInterrupted(lease, interrupted, isInDoubt);
    });
    return mayHaveEffect ? commitUnknown(this.#context, facts, lease.node, why) : why;
  }

  /** A session that is tied to its connection goes on with it, and without the transaction that a single write was to be committed by. */
  async #comeToRest({ settled, isHarmless }: Interrupted, lease: Lease): Promise<void> {
    await settled;
    if (!isHarmless || !this.#binding.isPinned) return;
    await rollBack(this.#context, lease, this.#context.createCall(ROLLBACK_MS, undefined));
  }

  #loseInterrupted(lease: Lease, interrupted: Interrupted, isInDoubt: boolean): void {
    if (this.#binding.transaction !== undefined) this.#setLost(new TransactionLostError(lease.node, interrupted));
    this.#noteLostState(lease.node, interrupted, isInDoubt);
    this.#binding.release();
  }
}
