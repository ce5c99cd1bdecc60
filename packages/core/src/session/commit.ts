import type { Call } from "../call.ts";
import type { Result, Statement } from "../driver.ts";
import { LedgerMissingError, NotSentError } from "../errors.ts";
import type { Lease } from "../pool/lease.ts";
import { cutUnlessPrimary } from "./acquire.ts";
import type { Ledger, SessionContext } from "./context.ts";
import { Undone, Unsettled } from "./outcome.ts";
import { Interrupted, run } from "./run.ts";
import { settle } from "./settle.ts";
import { toStatement } from "./statement.ts";

/**
 * Commits the transaction that is open on the connection, its token with the COMMIT in one flush. When the answer is lost the
 * ledger is asked.
 * @throws {Undone} when it certainly did not commit; {Unsettled} when nobody could tell in time; else what `run` throws
 */
export async function commitWithToken(
  context: SessionContext,
  ledger: Ledger,
  lease: Lease,
  token: string,
  call: Call,
): Promise<Result> {
  const { driver } = context;
  const instance = context.cell.current.nodes.get(lease.node)?.observation?.instance;
  const place = { node: lease.node, instance, sessionId: lease.connection.sessionId };
  cutUnlessPrimary(context, lease);
  try {
    await run(context, lease, ledger.statements.commit(ledger.table, token), call);
    return COMMITTED;
  } catch (error) {
    if (error instanceof NotSentError) throw new Undone(error);
    if (error instanceof Interrupted) {
      context.strays.add(token, lease.node);
      throw error;
    }
    const { kind } = driver.classify(error);
    if (kind === "statement" || kind === "rolled-back" || kind === "stale") throw explained(ledger, lease, error);
    context.suspect();
    // refused before any effect: there is no doubt to settle
    if (kind === "read-only") throw new Undone(error);
    lease.destroy(); // its place in the pool is needed to ask
    const fate = await context.precedence.during(lease.node, () => settle(context, ledger, token, place, call));
    if (fate !== "committed") context.strays.add(token, lease.node);
    if (fate === "fenced") throw new Undone(error);
    if (fate === undefined) throw new Unsettled(error);
    return COMMITTED;
  }
}

const COMMITTED: Result = Object.freeze({ rows: [], rowCount: null, command: "COMMIT" });

/** A ledger that is not there is a mistake of the set-up: the error says what to run. */
function explained({ statements, table }: Ledger, lease: Lease, error: unknown): unknown {
  if (!statements.isMissing(error)) return error;
  return new LedgerMissingError(table, lease.node, statements.schema(table), error);
}

/**
 * One write with exactly one effect: `BEGIN; write` and then `token; COMMIT`, so that its result is in hand before its commit
 * is in doubt.
 * @throws as {@link commitWithToken} does
 */
export async function writeOnce(
  context: SessionContext,
  ledger: Ledger,
  lease: Lease,
  statement: Statement,
  token: string,
  call: Call,
): Promise<Result> {
  let result: Result;
  try {
    result = await run(context, lease, statement, call, toStatement(context.driver.transactions.begin({}), undefined));
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    await rollBack(context, lease, call);
    const { kind } = context.driver.classify(error);
    const isLost = error instanceof NotSentError || kind === "gone" || kind === "silent" || kind === "outcome-unknown";
    throw isLost ? new Undone(error) : error;
  }
  try {
    await commitWithToken(context, ledger, lease, token, call);
    return result;
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    await rollBack(context, lease, call);
    throw context.driver.classify(error).kind === "stale" ? new Undone(error) : error;
  }
}

/** Leaves no transaction open on a connection that goes on; one that is lost has none. */
export async function rollBack(context: SessionContext, lease: Lease, call: Call): Promise<void> {
  cutUnlessPrimary(context, lease);
  const { status } = lease.connection;
  if (status !== "failed" && status !== "transaction") return;
  try {
    await run(context, lease, { text: context.driver.transactions.rollback }, call);
  } catch {
    lease.connection.destroy(); // the server rolls back what it loses
  }
}
