import type { Call } from "../call.ts";
import { ReplayMismatchError, TransactionLostError } from "../errors.ts";
import { jittered } from "../jittered.ts";
import type { Lease } from "../pool/lease.ts";
import type { NodeId } from "../topology/node.ts";
import type { Aftermath } from "./aftermath.ts";
import type { Binding } from "./binding.ts";
import { rollBack } from "./commit.ts";
import type { SessionContext } from "./context.ts";
import type { Failure } from "./failure.ts";
import { handsOutRows } from "./recording.ts";
import { replay, rest } from "./replay.ts";
import { restAfter } from "./retry.ts";

/** Makes a session ready to send a statement once more that has failed: its transaction first, where one was open. */
export class Recovery {
  readonly #context: SessionContext;
  readonly #binding: Binding;
  readonly #aftermath: Aftermath;
  readonly #throwIfReleased: () => void;

  /** @param throwIfReleased throws once nobody waits for the session's statements any more */
  constructor(context: SessionContext, binding: Binding, aftermath: Aftermath, throwIfReleased: () => void) {
    this.#context = context;
    this.#binding = binding;
    this.#aftermath = aftermath;
    this.#throwIfReleased = throwIfReleased;
  }

  /**
   * Runs the lost transaction again, where it can be; the statement that failed is then sent as if nothing had happened.
   * @param conflicts how often the server has undone it: it rests a while before
   */
  async replay({ error, statement, facts, node }: Failure, call: Call, conflicts: number = 0): Promise<boolean> {
    const { transaction, isPinned } = this.#binding;
    // sent again it would hand out from its start what the application has in part
    if (statement.channel?.isOpen === true) transaction?.recording.giveUp(handsOutRows(facts));
    if (transaction === undefined || transaction.recording.obstacle !== undefined || isPinned) return false;
    this.#throwIfReleased();
    try {
      const again = (): Promise<void> => replay(this.#context, this.#binding, call, error);
      if (conflicts > 0) {
        await rest(this.#context, call, conflicts);
        await again();
      } else await this.#resume(node, again, call);
      return true;
    } catch (cause) {
      this.#binding.release();
      const isMismatch = cause instanceof ReplayMismatchError;
      throw this.#aftermath.loseTransaction(isMismatch ? cause : new TransactionLostError(node, cause), facts);
    }
  }

  /** What comes next is new: it waits until all others have what they had. */
  async #resume(node: NodeId, again: () => Promise<void>, call: Call): Promise<void> {
    const { precedence } = this.#context;
    await precedence.during(node, again);
    if (!precedence.isOpen) await precedence.wait(call);
  }

  /** The server has undone the transaction, or the single statement: makes ready to send the statement once more. */
  async repeat(failure: Failure, lease: Lease, call: Call): Promise<void> {
    const context = this.#context;
    const { transaction } = this.#binding;
    this.#throwIfReleased();
    context.counters.conflicts += 1;
    if (transaction === undefined) {
      const { node, facts } = failure;
      if (failure.isFirst) await rollBack(context, lease, call);
      context.events.emit("rerun", { node, command: facts.command, reason: "the server has undone it in a conflict" });
      await rest(context, call, failure.conflicts);
      return;
    }
    transaction.conflicts += 1;
    await rollBack(context, lease, call);
    this.#binding.part();
    if (await this.replay(failure, call, transaction.conflicts)) return;
    const { error, node, facts } = failure;
    const lost = new TransactionLostError(node, error, transaction.recording.obstacle);
    this.#binding.release();
    throw this.#aftermath.loseTransaction(lost, facts);
  }

  /** Makes ready to send the statement once more, which nothing ties to the connection that it has lost. */
  prepareRerun(decision: "rerun" | "misrouted", { statement, facts, node }: Failure): void {
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

  /** @param losses how often the statement was lost before */
  async rest(losses: number, call: Call): Promise<void> {
    const restMs = restAfter(losses);
    if (restMs > 0) await call.pause(jittered(restMs, 0.5, this.#context.environment.random()));
  }
}
