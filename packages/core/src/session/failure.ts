import type { Call } from "../call.ts";
import type { Fault, Statement, StatementFacts } from "../driver.ts";
import { NotSentError } from "../errors.ts";
import type { Demand } from "../routing/route.ts";
import type { NodeId } from "../topology/node.ts";
import { until } from "../topology/until.ts";
import type { Binding } from "./binding.ts";
import type { SessionContext } from "./context.ts";
import { Undone, Unsettled } from "./outcome.ts";
import { type Decision, decide } from "./retry.ts";

/** After a refusal as read-only: how long to wait for the monitor to say whether the node takes writes. */
const RECHECK_MS = 1000;

/** A statement that failed, and where. */
export interface Failure {
  readonly error: unknown;
  readonly statement: Statement;
  readonly facts: StatementFacts;
  readonly demand: Demand;
  readonly node: NodeId;
  /** How often this statement was lost with its connection before. */
  readonly losses: number;
  /** How often it was refused before by a node that would take it. */
  readonly refusals: number;
  /** How often it was run again after a conflict. */
  readonly conflicts: number;
  /** The BEGIN of its transaction went with it. */
  readonly isFirst: boolean;
}

/** What is to be done about a failure, and what it counts as if the statement fails again. */
export interface Verdict {
  readonly decision: Decision;
  readonly counts: "loss" | "refusal" | undefined;
}

/** The connection was lost under the statement. */
const LOST: ReadonlySet<Fault["kind"]> = new Set(["gone", "silent", "outcome-unknown"]);

/** What says nothing of the node's health. */
const HARMLESS: ReadonlySet<Fault["kind"]> = new Set(["statement", "stale", "rolled-back", "read-only"]);

/** Collects the circumstances of a failure and has them judged; has all nodes probed where a connection was lost. */
export async function judge(context: SessionContext, binding: Binding, failure: Failure, call: Call): Promise<Verdict> {
  const { error, statement, facts, demand, node, losses, refusals, conflicts, isFirst } = failure;
  const { transaction, isPinned } = binding;
  if (error instanceof Unsettled) return { decision: "commit-unknown", counts: undefined };
  const isUndone = error instanceof Undone;
  const wasSent = !isUndone && !(error instanceof NotSentError);
  const fault = wasSent ? context.driver.classify(error) : ({ kind: "gone", code: undefined } as const);
  // what belongs on a primary was sent to one, which may have given way since
  const isMirror = context.cell.current.nodes.get(node)?.observation?.role === "mirror";
  const onMirror = isMirror && demand.intent === "read" && transaction === undefined;
  const takesWrites = fault.kind === "read-only" && !onMirror ? await recheck(context, node, call) : true;
  const isTrouble = !HARMLESS.has(fault.kind);
  if (isTrouble) context.suspect();
  const isRecorded = transaction !== undefined && transaction.recording.obstacle === undefined;
  const ownWrite = demand.intent === "write" && facts.transaction === "mixed";
  const decision = decide(fault, {
    facts,
    intent: demand.intent,
    wasSent,
    inTransaction: transaction !== undefined,
    isFirst,
    hasWritten: transaction?.hasWritten === true || ownWrite,
    isPinned,
    onMirror,
    takesWrites,
    losses,
    refusals,
    conflictsLeft: context.config.retryOnConflict - (transaction?.conflicts ?? conflicts),
    isRecorded: isFirst ? context.config.replay.maxStatements > 0 : isRecorded && !isPinned,
    isOpen: statement.channel?.isOpen === true,
  });
  const isLoss = (wasSent || isUndone) && LOST.has(fault.kind);
  // who takes no writes, or is not ready, will be waited for: that says nothing of the statement
  const isRefusal = fault.kind === "stale" || (fault.kind === "read-only" && takesWrites);
  return { decision, counts: isLoss ? "loss" : isRefusal ? "refusal" : undefined };
}

/** Has the node looked at by the monitor, since its refusal may be the application's own read-only mode. */
async function recheck(context: SessionContext, node: NodeId, call: Call): Promise<boolean> {
  const { cell, environment } = context;
  const askedAt = environment.now();
  context.suspect();
  const isSeen = await until(cell, ({ nodes }) => (nodes.get(node)?.observedAt ?? 0) >= askedAt, call, RECHECK_MS);
  return isSeen && cell.current.nodes.get(node)?.observation?.isWritable === true;
}
