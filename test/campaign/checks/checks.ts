import type { Evidence } from "../evidence.ts";
import { balanceIsKept } from "./balance.ts";
import type { Check, Violation } from "./check.ts";
import { thePoolHasNoComplaint } from "./complaints.ts";
import { nothingIsDuplicated } from "./duplicated.ts";
import { errorsAreExplained } from "./errors.ts";
import { everyCallEnds } from "./hung.ts";
import { nothingIsLost } from "./lost.ts";
import { noUpdateIsLost } from "./lost-updates.ts";
import { failedWritesHaveNoEffect } from "./no-effect.ts";
import { workGoesOn } from "./progress.ts";
import { noWriteFromSupersededEpoch } from "./stale-epoch.ts";
import { nothingIsUncaught } from "./uncaught.ts";
import { answersAreTrue } from "./wrong-answers.ts";

const checks: readonly Check[] = [
  nothingIsLost,
  nothingIsDuplicated,
  failedWritesHaveNoEffect,
  balanceIsKept,
  noUpdateIsLost,
  answersAreTrue,
  noWriteFromSupersededEpoch,
  errorsAreExplained,
  everyCallEnds,
  nothingIsUncaught,
  thePoolHasNoComplaint,
  workGoesOn,
];

/** All rules, over the evidence of one campaign. */
export function judge(evidence: Evidence): Violation[] {
  return checks.flatMap((check) => check(evidence));
}
