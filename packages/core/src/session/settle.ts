import type { Call } from "../call.ts";
import type { LedgerStatements } from "../driver.ts";
import { AbortedError } from "../errors.ts";
import type { Lease } from "../pool/lease.ts";
import type { NodeId } from "../topology/node.ts";
import { acquire, maySend, RESUMED } from "./acquire.ts";
import type { Ledger, SessionContext } from "./context.ts";
import { Interrupted, run } from "./run.ts";
import { isTransient } from "./transient.ts";

/** The connection that a COMMIT was lost with. */
export interface LostConnection {
  readonly node: NodeId;
  /** Of the server process, when the transaction began: another one has no such session any more. */
  readonly instance: string | undefined;
  readonly sessionId: string | undefined;
}

/** How long one question may block on a transaction that is still open, before its session is ended. */
const QUESTION_MS = 1000;

/**
 * Finds out on the present primary whether a transaction has committed, and fences it if it has not. Asked again when the
 * question itself is lost: a fence that was written by the lost one is found as such.
 * @returns undefined when the call ended before there was an answer
 */
export async function settle(
  context: SessionContext,
  { statements, table }: Ledger,
  token: string,
  lost: LostConnection,
  call: Call,
): Promise<"committed" | "fenced" | undefined> {
  for (;;) {
    if (call.isOver || call.signal?.aborted === true) return undefined;
    let lease: Lease | undefined;
    try {
      lease = await acquire(context, RESUMED, call);
      if (call.isOver) return undefined;
      if (!maySend(context, RESUMED, lease.node)) continue;
      const { rows } = await run(context, lease, statements.settle(table, token), question(context, call));
      return rows[0]?.["isFenced"] === true ? "fenced" : "committed";
    } catch (error) {
      if (error instanceof AbortedError) return undefined;
      if (error instanceof Interrupted || statements.isBlocked(error)) {
        if (!call.isOver) await endOldSession(context, statements, lost, call);
      } else if (lease === undefined || !isTransient(context, error)) {
        return undefined;
      } else {
        context.suspect();
      }
    } finally {
      lease?.release();
    }
  }
}

/** A part of the call's patience: what blocks for longer is waiting for the lost transaction. */
function question(context: SessionContext, call: Call): Call {
  return context.createCall(Math.max(1, Math.min(QUESTION_MS, call.deadline - context.environment.now())), call.signal);
}

/** The lost transaction still runs on the very server that we ask: nobody will ever answer its client, so it may go. */
async function endOldSession(
  context: SessionContext,
  statements: LedgerStatements,
  lost: LostConnection,
  call: Call,
): Promise<void> {
  const { cell } = context;
  const state = cell.current.nodes.get(lost.node);
  const isSameServer = cell.current.primary === lost.node && state?.observation?.instance === lost.instance;
  if (!isSameServer || lost.sessionId === undefined) return;
  let lease: Lease | undefined;
  try {
    lease = await acquire(context, RESUMED, call);
    if (lease.node !== lost.node) return;
    await run(context, lease, statements.endSession(lost.sessionId), question(context, call));
  } catch {
    // whether it worked, and whether there is a primary at all, is seen by asking again
  } finally {
    lease?.release();
  }
}
