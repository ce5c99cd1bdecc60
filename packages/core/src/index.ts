/** The public API of the failover pool. */
export type { CallOptions } from "./call.ts";
export { Checkout, type CheckoutListener, type CheckoutTask } from "./checkout.ts";
export type { Environment, Timer } from "./clock.ts";
export { createPool } from "./cluster.ts";
export type { Durability, ExactlyOnceOptions, NodeOptions, Password, PoolOptions } from "./config/options.ts";
export { optionRules } from "./config/options.ts";
export type {
  Channel,
  Connection,
  ConnectTarget,
  Driver,
  Fault,
  LedgerStatements,
  NodeAddress,
  Observation,
  Positions,
  Result,
  SessionState,
  SessionStates,
  Statement,
  StatementFacts,
  TransactionMode,
  TransactionStatements,
} from "./driver.ts";
export type { ErrorCode, ErrorDetails } from "./errors.ts";
export {
  AbortedError,
  AcquireTimeoutError,
  CommitUnknownError,
  DeadlineError,
  errorCodes,
  LedgerMissingError,
  MirrorpoolError,
  NoNodeError,
  NoPrimaryError,
  NotMirroredError,
  NotSentError,
  OptionsError,
  PoolClosedError,
  QueueFullError,
  ReplayMismatchError,
  ReservedLostError,
  SessionLostError,
  SplitBrainError,
  StreamLostError,
  SwitchoverError,
  TransactionAbortedError,
  TransactionLostError,
} from "./errors.ts";
export type { FailoverPool, PoolStats, StartOptions } from "./failover-pool.ts";
export { type PoolEventName, type PoolEvents, poolEventNames } from "./observe/events.ts";
export { type Holdable, outbox } from "./outbox.ts";
export type { NodePoolStats } from "./pool/node-pool.ts";
export { type PoolSession, renew } from "./pool-session.ts";
export type { PoolInUse, PoolSource } from "./pool-source.ts";
export { takePool } from "./pool-source.ts";
export type { StatementOptions } from "./session/demand.ts";
export type { ReservedConnection, ReserveOptions } from "./session/reserve.ts";
export type { PromoteRequest, SwitchoverOptions } from "./session/switchover.ts";
export type { Transaction, TransactionOptions } from "./session/transaction.ts";
export type { Fence, NodeStatus } from "./topology/node.ts";
export type { NodeReport, TopologyReport } from "./topology/report.ts";
export type { Hold } from "./topology/topology.ts";
