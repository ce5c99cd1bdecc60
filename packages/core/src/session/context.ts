import type { Call } from "../call.ts";
import type { Environment } from "../clock.ts";
import type { Config } from "../config/resolve.ts";
import type { Deadlines } from "../deadlines.ts";
import type { Driver, LedgerStatements } from "../driver.ts";
import type { WaitingRoom } from "../failover/waiting-room.ts";
import type { CallSignal } from "../interruption.ts";
import type { Counters } from "../observe/counters.ts";
import type { Events } from "../observe/events.ts";
import type { Cancels } from "../pool/cancels.ts";
import type { NodePool } from "../pool/node-pool.ts";
import type { Hedging } from "../routing/hedging.ts";
import type { TopologyCell } from "../topology/cell.ts";
import type { NodeId } from "../topology/node.ts";
import type { Acknowledged } from "./acknowledged.ts";
import type { Misrouted } from "./misrouted.ts";
import type { Precedence } from "./precedence.ts";
import type { ReadYourWrites } from "./read-your-writes.ts";
import type { StrayCommits } from "./stray-commits.ts";
import type { Work } from "./work.ts";
import type { WriteLog } from "./write-log.ts";

/** The commit ledger in use: its table, and how the driver speaks of it. */
export interface Ledger {
  readonly table: string;
  readonly statements: LedgerStatements;
}

/** What sessions work with: the parts of the pool, wired by `cluster.ts`. */
export interface SessionContext {
  readonly config: Config;
  readonly driver: Driver;
  readonly environment: Environment;
  readonly deadlines: Deadlines;
  readonly cell: TopologyCell;
  readonly pools: ReadonlyMap<NodeId, NodePool>;
  readonly room: WaitingRoom;
  /** Undefined where no read is sent twice. */
  readonly hedging: Hedging | undefined;
  readonly events: Events;
  readonly counters: Counters;
  readonly work: Work;
  readonly cancels: Cancels;
  readonly precedence: Precedence;
  readonly misrouted: Misrouted;
  /** Commits with a token of the ledger that the application was told of. */
  readonly acknowledged: Acknowledged;
  /** Commits with a token that it was not told of. */
  readonly strays: StrayCommits;
  /** Writes and commits without a token that it was told of. */
  readonly writes: WriteLog;
  /** Undefined without `exactlyOnce`. */
  readonly ledger: Ledger | undefined;
  /** Probes all nodes at once: a fault was seen. */
  suspect(): void;
  readonly readYourWrites: ReadYourWrites;
  /** Probes one node at once. */
  look(node: NodeId): void;
  isClosed: boolean;
  createCall(timeoutMs: number | undefined, signal: CallSignal | undefined): Call;
}
