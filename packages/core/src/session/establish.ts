import type { Call } from "../call.ts";
import type { SessionState } from "../driver.ts";
import { AbortedError, DeadlineError } from "../errors.ts";
import { ConnectFailure } from "../pool/connect-failure.ts";
import type { Lease } from "../pool/lease.ts";
import type { NodeId } from "../topology/node.ts";
import type { SessionContext } from "./context.ts";
import { Interrupted, run } from "./run.ts";

/** A fresh connection to the primary refused what the session had set elsewhere. Not for applications. */
export class StateRefused extends Error {
  override readonly name = "StateRefused";
  readonly node: NodeId;
  constructor(node: NodeId, cause: unknown) {
    super("the state of the session could not be set up", { cause });
    this.node = node;
  }
}

/**
 * Makes a leased connection have exactly this state. A connection keeps what its last session had set until the next session
 * wants something else: sessions that all set the same cost no round trip, and nobody inherits what is not his.
 * The lease is given up where it fails.
 * @throws {ConnectFailure} when the connection was lost, or could not be cleared: another one may do
 * @throws {StateRefused} when the server refused the state on a connection that had none
 */
export async function establish(
  context: SessionContext,
  lease: Lease,
  state: SessionState | undefined,
  call: Call,
): Promise<void> {
  const { pooled } = lease;
  const before = pooled.state;
  const statements = context.driver.states?.change(before, state) ?? [];
  try {
    for (const statement of statements) await run(context, lease, statement, call);
    pooled.state = state;
    context.counters.statesCarried += 1;
  } catch (error) {
    lease.destroy();
    if (error instanceof Interrupted) {
      if (error.reason === "aborted") throw new AbortedError(call.signal?.reason);
      throw new DeadlineError("the session's settings", lease.node, context.environment.now() - call.startedAt);
    }
    const fault = context.driver.classify(error);
    // a former session's own limits (a statement_timeout) may be what stood in the way
    if (fault.kind === "statement" && before === undefined) throw new StateRefused(lease.node, error);
    throw new ConnectFailure(fault, error);
  }
}
