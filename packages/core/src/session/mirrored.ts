import type { Call } from "../call.ts";
import {
  AbortedError,
  CommitUnknownError,
  NotMirroredError,
  PoolClosedError,
  TransactionLostError,
} from "../errors.ts";
import { isUsable } from "../topology/node.ts";
import { describeNodes, reportNodes } from "../topology/report.ts";
import type { Topology } from "../topology/topology.ts";
import { until } from "../topology/until.ts";
import { type AcknowledgedCommit, noteAcknowledged } from "./acknowledged-commit.ts";
import type { SessionContext } from "./context.ts";
import { settle } from "./settle.ts";

/** So long each news of the cluster is followed by a look at the nodes; later on they are looked at from time to time. */
const EAGER_MS = 200;

/** The application wants each commit on a mirror, and the server itself does not see to that. */
export function isMirrorNeeded({ config, cell }: SessionContext): boolean {
  if (config.durability !== "mirrored") return false;
  const { nodes, reign } = cell.current;
  return reign === undefined || nodes.get(reign.node)?.observation?.isSynchronous !== true;
}

/**
 * Waits until a mirror has the commit: one that has replayed a sample of the primary taken after the commit was answered.
 * When the primary is lost meanwhile the ledger says whether the new one has it, and the wait goes on there.
 * @throws {NotMirroredError} when no mirror has it in time; {TransactionLostError} when the new primary certainly has it not;
 * {CommitUnknownError} when nobody can tell
 * @param commit counted as a write under way until now: a close or a switchover lets it end
 */
export async function untilMirrored(context: SessionContext, commit: AcknowledgedCommit, call: Call): Promise<void> {
  const { cell, work, environment } = context;
  try {
    let { epoch, answeredAt } = commit;
    while (!(await waitForMirror(context, commit, epoch, answeredAt, call))) {
      await askNewPrimary(context, commit, call);
      epoch = cell.current.epoch;
      answeredAt = environment.now();
    }
    noteAcknowledged(context, commit);
  } finally {
    work.end("write");
  }
}

/** True when a mirror has it, false when there is another primary. @throws {NotMirroredError} */
async function waitForMirror(
  context: SessionContext,
  commit: AcknowledgedCommit,
  epoch: number,
  answeredAt: number,
  call: Call,
): Promise<boolean> {
  const { cell, environment, config } = context;
  const startedAt = environment.now();
  const endsAt = startedAt + config.timeouts.mirrorMs;
  const isOver = (topology: Topology): boolean => {
    if (topology.epoch !== epoch || isMirrored(topology, answeredAt)) return true;
    if (environment.now() - startedAt < EAGER_MS) look(context, answeredAt);
    return false;
  };
  while (!isOver(cell.current)) {
    const leftMs = endsAt - environment.now();
    const isEnded = leftMs <= 0 || call.isOver || call.signal?.aborted === true || context.deadlines.isClosed;
    if (isEnded) throw notMirrored(context, commit, call);
    look(context, answeredAt);
    await until(cell, isOver, call, Math.min(leftMs, config.monitor.fastIntervalMs));
  }
  return cell.current.epoch === epoch;
}

function isMirrored(topology: Topology, since: number): boolean {
  for (const node of topology.nodes.values()) {
    if (node.observation?.role === "mirror" && node.freshAsOf >= since && isUsable(node)) return true;
  }
  return false;
}

/** First at the primary, for a sample that covers the commit; then at the mirrors, whether they have come so far. */
function look({ cell, look }: SessionContext, since: number): void {
  const { nodes, primary, samples } = cell.current;
  const isSampled = (samples.at(-1)?.sentAt ?? Number.NEGATIVE_INFINITY) >= since;
  for (const node of nodes.values()) {
    const isWanted = isSampled ? node.observation?.role === "mirror" : node.id === primary;
    if (isWanted && isUsable(node)) look(node.id);
  }
}

function notMirrored(context: SessionContext, commit: AcknowledgedCommit, call: Call): NotMirroredError {
  const { environment, cell, counters } = context;
  counters.notMirrored += 1;
  // the application is told that it is committed: if it is lost now, that has to be reported
  noteAcknowledged(context, commit);
  const now = environment.now();
  const closed = context.isClosed ? new PoolClosedError() : undefined;
  const cause = call.signal?.aborted === true ? new AbortedError(call.signal.reason) : closed;
  const nodes = describeNodes(reportNodes(cell.current, now));
  return new NotMirroredError(commit.command, commit.node, now - commit.answeredAt, nodes, cause);
}

/** @throws {TransactionLostError} {CommitUnknownError} unless the new primary has the commit */
async function askNewPrimary(context: SessionContext, commit: AcknowledgedCommit, call: Call): Promise<void> {
  const { ledger, counters, events } = context;
  const { node, command, token } = commit;
  const cause = new Error(`${node} had committed it, and was lost before a mirror was seen to have it`);
  const place = { node, instance: undefined, sessionId: undefined };
  const isSettled = ledger !== undefined && token !== undefined;
  const fate = isSettled ? await settle(context, ledger, token, place, call) : undefined;
  if (fate === "committed") return;
  if (token !== undefined) context.strays.add(token, node);
  if (fate === undefined) {
    counters.commitUnknown += 1;
    events.emit("commit-unknown", { node, command });
    throw new CommitUnknownError(command, node, cause);
  }
  counters.transactionsLost += 1;
  throw new TransactionLostError(node, cause);
}
