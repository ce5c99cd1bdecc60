import type { Call } from "../call.ts";
import type { Result, Statement, StatementFacts } from "../driver.ts";
import type { Lease } from "../pool/lease.ts";
import type { Demand } from "../routing/route.ts";
import type { AcknowledgedCommit } from "./acknowledged-commit.ts";
import type { Binding } from "./binding.ts";
import { commitWithToken, writeOnce } from "./commit.ts";
import type { Ledger, SessionContext } from "./context.ts";
import { run } from "./run.ts";

/** A statement that goes with a token of the commit ledger. */
export interface LedgerUse {
  readonly ledger: Ledger;
  readonly token: string;
  readonly send: "write" | "commit";
}

/** The statement gets a token of the commit ledger where its effect has to be exactly one. */
export function ledgerUseOf(
  context: SessionContext,
  { transaction, unsentBegin, isPinned }: Binding,
  lease: Lease,
  facts: StatementFacts,
  demand: Demand,
): LedgerUse | undefined {
  const { ledger, environment } = context;
  if (ledger === undefined || demand.intent === "read" || unsentBegin !== undefined) return undefined;
  const isCommit = facts.transaction === "commit" && lease.connection.status === "transaction";
  const mayBegin = !isPinned || ledger.statements.keepsPinnedState === true;
  const isSingle = transaction === undefined && mayBegin && isSingleWrite(facts);
  if (!isSingle && !(isCommit && transaction?.hasWritten === true)) return undefined;
  return { ledger, token: environment.newToken(), send: isSingle ? "write" : "commit" };
}

/** Runs the statement on the lease, with its token where it has one. */
export function send(
  context: SessionContext,
  lease: Lease,
  statement: Statement,
  use: LedgerUse | undefined,
  call: Call,
): Promise<Result> {
  if (use === undefined) return run(context, lease, statement, call);
  const { ledger, token } = use;
  if (use.send === "commit") return commitWithToken(context, ledger, lease, token, call);
  return writeOnce(context, ledger, lease, statement, token, call);
}

/** A commit that was answered just now. @param sentAt when its statement was sent */
export function answeredCommit(
  { cell, environment }: SessionContext,
  { node }: Lease,
  { command }: StatementFacts,
  use: LedgerUse | undefined,
  sentAt: number,
): AcknowledgedCommit {
  const { epoch } = cell.current;
  return { command, node, epoch, token: use?.token, sentAt, answeredAt: environment.now() };
}

/** A write that may run between a BEGIN and a COMMIT of ours and still mean the same. */
function isSingleWrite(facts: StatementFacts): boolean {
  return (
    facts.transactional && facts.transaction === "none" && facts.session === "none" && !facts.multiple && !facts.stream
  );
}
