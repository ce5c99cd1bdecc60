/** Data jobs on failover pools: copy, compare, repair, follow. */
export { type CompareOptions, type CompareReport, compare } from "./compare/compare.ts";
export type { Difference } from "./compare/find-differences.ts";
export { type CopyOptions, type CopyReport, copy } from "./copy/copy.ts";
export { type Conflict, JobError, type JobErrorCode, jobErrorCodes, type Refusal } from "./errors.ts";
export { RowsRefused } from "./faults.ts";
export type { CompareUnit, CopyUnit, Delegate, Unit, UnitOutcome, ViewTicket } from "./fleet/unit.ts";
export { UnitWorker } from "./fleet/unit-worker.ts";
export { type FollowEvent, type Following, type FollowOptions, follow } from "./follow/follow.ts";
export type { FollowStats } from "./follow/stats.ts";
export { type JobOptions, numberRules } from "./options.ts";
export type { Progress } from "./progress.ts";
export { type RepairOptions, type RepairReport, repair } from "./repair/repair.ts";
export type { TableChoice } from "./select.ts";
export { type LossyRule, lossyRules } from "./types/fit.ts";
