import type { NodeId } from "../topology/node.ts";
import type { SessionContext } from "./context.ts";

/** A commit that the server has acknowledged. */
export interface AcknowledgedCommit {
  readonly command: string;
  readonly node: NodeId;
  /** Of the topology, when the answer came. */
  readonly epoch: number;
  /** Its token in the commit ledger, where it has one. */
  readonly token: string | undefined;
  readonly sentAt: number;
  readonly answeredAt: number;
}

/** Keeps in mind what the application is about to be told, for the loss report. */
export function noteAcknowledged({ acknowledged, writes }: SessionContext, commit: AcknowledgedCommit): void {
  if (commit.token === undefined) writes.add(commit.sentAt, commit.answeredAt);
  else acknowledged.add(commit.token, commit.answeredAt);
}
