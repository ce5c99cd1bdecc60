/** Data jobs on failover pools: copy, compare, repair, follow. */
export { type CopyOptions, type CopyReport, copy } from "./copy/copy.ts";
export { JobError, type JobErrorCode, jobErrorCodes, type Refusal } from "./errors.ts";
export { type JobOptions, numberRules } from "./options.ts";
export type { Progress } from "./progress.ts";
export type { TableChoice } from "./select.ts";
