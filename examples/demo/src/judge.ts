import type { History, Operation } from "./history.ts";
import type { DatabaseName, FaultName, Orm, PlainName } from "./options.ts";

/** Whose figures they are. */
export interface Identity {
  readonly client: "mirrorpool" | PlainName;
  readonly orm: Orm | null;
  readonly database: DatabaseName;
  /** With the commit ledger. */
  readonly exactlyOnce: boolean;
}

/** The figures of one client in one run, as `--json` writes them. Times in milliseconds from the fault; null: not within the run. */
export interface Figures extends Identity {
  readonly fault: FaultName;
  /** Writes and transactions that the application was told are done. */
  readonly acknowledged: number;
  /** Of these, not on the primary in the end. */
  readonly lost: number;
  /** Found more than once. */
  readonly duplicated: number;
  /** Operations that ended with an error, reads included. */
  readonly surfacedErrors: number;
  /** Of these, writes whose outcome the client says it does not know. */
  readonly commitUnknown: number;
  /** Operations without an answer for longer than {@link HUNG_MS}. */
  readonly hung: number;
  readonly uncaught: number;
  /** Writes acknowledged by the old primary after the new one had taken over. */
  readonly toSupersededPrimary: number;
  /** From the fault until the new primary takes writes. */
  readonly promotionMs: number;
  readonly firstWriteMs: number | null;
  readonly throughputBackMs: number | null;
  readonly longestCallMs: number;
}

export const HUNG_MS = 4000;
const WINDOW_MS = 250;
/** Back means: a window with this part of the throughput before the fault. */
export const BACK_FRACTION = 0.7;

/** What the run left behind, and when what happened. Times in milliseconds since the run began. */
export interface Evidence {
  readonly identity: Identity;
  readonly fault: FaultName;
  readonly history: History;
  readonly endedAt: number;
  readonly faultAt: number;
  readonly promotedAt: number;
  readonly uncaught: number;
  /** Tokens on the primary in the end, one entry a row, with the port of the server that took the write. */
  readonly onPrimary: readonly { readonly token: string; readonly server: number }[];
  /** Tokens on the former primary, as it was left. */
  readonly onFormer: readonly { readonly token: string; readonly server: number }[];
  readonly primaryPort: number;
  readonly formerPort: number;
}

/** Compares what the application was told with what is there. Pure. */
export function judge(evidence: Evidence): Figures {
  const { history, faultAt, promotedAt, endedAt } = evidence;
  const { operations } = history;
  const writes = operations.filter((each) => each.kind !== "read-back");
  const acknowledged = writes.filter((each) => each.outcome === "ok");
  const rows = countByToken(evidence.onPrimary);
  const byNewPrimary = new Set(
    evidence.onPrimary.filter((row) => row.server === evidence.primaryPort).map((row) => row.token),
  );
  const byFormer = new Set(
    evidence.onFormer.filter((row) => row.server === evidence.formerPort).map((row) => row.token),
  );
  const endOf = (operation: Operation): number => operation.endedAt ?? endedAt;
  const failed = operations.filter((each) => each.outcome !== undefined && each.outcome !== "ok");
  const firstWrite = acknowledged
    .filter((each) => byNewPrimary.has(each.token))
    .map(endOf)
    .sort((a, b) => a - b)[0];
  return {
    ...evidence.identity,
    fault: evidence.fault,
    acknowledged: acknowledged.length,
    lost: acknowledged.filter((each) => !rows.has(each.token)).length,
    duplicated: [...rows.values()].filter((count) => count > 1).length,
    surfacedErrors: failed.length,
    commitUnknown: failed.filter((each) => each.outcome === "commit-unknown").length,
    hung: operations.filter((each) => endOf(each) - each.startedAt > HUNG_MS).length,
    uncaught: evidence.uncaught,
    // what the former primary took before is on the new one as well, even if its answer was settled only afterwards
    toSupersededPrimary: acknowledged.filter(
      (each) => endOf(each) > promotedAt && byFormer.has(each.token) && !rows.has(each.token),
    ).length,
    promotionMs: Math.round(promotedAt - faultAt),
    firstWriteMs: firstWrite === undefined ? null : Math.round(firstWrite - faultAt),
    throughputBackMs: throughputBack(operations, evidence),
    longestCallMs: Math.round(operations.reduce((longest, each) => Math.max(longest, endOf(each) - each.startedAt), 0)),
  };
}

function countByToken(rows: Evidence["onPrimary"]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { token } of rows) counts.set(token, (counts.get(token) ?? 0) + 1);
  return counts;
}

/** When the first window begins, with the new primary there, in which the work done is back at its level from before. */
function throughputBack(
  operations: readonly Operation[],
  { faultAt, promotedAt, endedAt }: Pick<Evidence, "faultAt" | "promotedAt" | "endedAt">,
): number | null {
  const done = operations.filter((each) => each.outcome === "ok").map((each) => each.endedAt ?? 0);
  const countIn = (from: number, to: number): number => done.filter((at) => at >= from && at < to).length;
  const before = Math.min(faultAt, 1000);
  const usual = (countIn(faultAt - before, faultAt) / before) * WINDOW_MS;
  // the windows slide in small steps; before the promotion the speed is that of reads, and of what the fault has not reached
  for (let from = promotedAt; from + WINDOW_MS <= endedAt; from += 10) {
    if (countIn(from, from + WINDOW_MS) >= usual * BACK_FRACTION) return Math.round(from - faultAt);
  }
  return null;
}
