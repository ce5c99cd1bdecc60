import type { Call } from "../call.ts";
import { NotSentError, ReplayMismatchError } from "../errors.ts";
import { jittered } from "../jittered.ts";
import type { Lease } from "../pool/lease.ts";
import { acquire, cutUnlessPrimary, maySend, RESUMED } from "./acquire.ts";
import type { Binding } from "./binding.ts";
import type { SessionContext } from "./context.ts";
import { digestError, digestResult } from "./digest.ts";
import type { RecordedStatement } from "./recording.ts";
import { Interrupted, run } from "./run.ts";
import { isTransient } from "./transient.ts";

/** Before a transaction that met a conflict is run again; doubled each time. */
const CONFLICT_DELAY_MS = 5;
const MAX_CONFLICT_DELAY_MS = 500;
/** Conflicts that a replay may meet itself, also where those of the application are not run again. */
const MIN_CONFLICTS = 10;

/** Rests after a conflict, so that those who met do not meet again at once. */
export function rest({ environment }: SessionContext, call: Call, conflicts: number): Promise<void> {
  const delayMs = Math.min(MAX_CONFLICT_DELAY_MS, CONFLICT_DELAY_MS * 2 ** Math.min(conflicts, 10));
  return call.pause(jittered(delayMs, 0.5, environment.random()));
}

/**
 * Runs the open transaction again on the present primary, after its connection was lost before it was committed or the server
 * has undone it, and compares every answer with the one that the application was given. Starts from the session's state at its
 * BEGIN, and starts over when the new connection is lost as well or meets a conflict.
 * @throws {ReplayMismatchError} at the first difference; {NoPrimaryError} and the like when there is no node in time
 */
export async function replay(context: SessionContext, binding: Binding, call: Call, cause: unknown): Promise<void> {
  const statements = binding.transaction?.recording.statements ?? [];
  for (let conflicts = 0; ; ) {
    // a half-open transaction on a server that is being demoted would stand in its way
    binding.cut();
    call.throwIfAborted();
    const lease = await acquire(context, RESUMED, call, { state: binding.journal.stateAtBegin });
    try {
      if (!maySend(context, RESUMED, lease.node)) continue;
      await repeat(context, lease, statements, call, cause);
      binding.move(lease);
      context.counters.replays += 1;
      context.events.emit("replayed", { node: lease.node, statements: statements.length });
      return;
    } catch (error) {
      lease.destroy(); // also under a statement that still runs: nobody waits for it beyond the call's end
      const isOver = error instanceof Interrupted || error instanceof ReplayMismatchError;
      if (isOver || !isTransient(context, error)) throw error;
      if (context.driver.classify(error).kind === "rolled-back") {
        if (conflicts >= Math.max(MIN_CONFLICTS, context.config.retryOnConflict)) throw error;
        conflicts += 1;
        await rest(context, call, conflicts);
      } else {
        context.suspect();
      }
    } finally {
      if (lease.connection.status === "idle") lease.release();
    }
  }
}

async function repeat(
  context: SessionContext,
  lease: Lease,
  statements: readonly RecordedStatement[],
  call: Call,
  cause: unknown,
): Promise<void> {
  let position = 0;
  for (const { statement, facts, digest } of statements) {
    position += 1;
    const answered = await answer(context, lease, statement, call);
    if (answered !== digest) throw new ReplayMismatchError(facts.command, position, lease.node, cause);
  }
}

async function answer(
  context: SessionContext,
  lease: Lease,
  statement: RecordedStatement["statement"],
  call: Call,
): Promise<string> {
  cutUnlessPrimary(context, lease);
  try {
    return digestResult(await run(context, lease, statement, call));
  } catch (error) {
    if (error instanceof Interrupted || error instanceof NotSentError) throw error;
    const fault = context.driver.classify(error);
    // an error of the statement itself is an answer, which the application was given as well
    if (fault.kind !== "statement" || lease.connection.status === "closed") throw error;
    return digestError(fault.code);
  }
}
