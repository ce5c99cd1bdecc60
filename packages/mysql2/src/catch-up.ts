import type { Identity } from "./identity.ts";

/** Statements of one flush. */
export interface CatchUp {
  readonly before: readonly string[];
  /** Answered when the node has applied all that its group has committed by now. */
  readonly text: string;
  readonly behind: readonly string[];
}

const GALERA: CatchUp = { before: [], text: "SET STATEMENT wsrep_sync_wait = 1 FOR SELECT 1", behind: [] };

/** A statement that reads no table would not wait. */
const GROUP_REPLICATION: CatchUp = {
  before: ["SET SESSION group_replication_consistency = 'BEFORE'"],
  text: "BEGIN",
  behind: ["COMMIT", "SET SESSION group_replication_consistency = DEFAULT"],
};

/** Nobody promotes a peer: it is the primary at once, and applies what it has received a moment later. */
export function catchUpOf({ isGalera, hasPeers }: Identity): CatchUp | undefined {
  if (!hasPeers) return undefined;
  return isGalera ? GALERA : GROUP_REPLICATION;
}
