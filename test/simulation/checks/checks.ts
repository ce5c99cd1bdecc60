import type { Recorded } from "../history.ts";
import type { Check, Violation } from "./check.ts";
import { claimsAreTrue } from "./claims.ts";
import { contractIsKept } from "./contract.ts";
import { everyCallEndsInTime } from "./deadlines.ts";
import { epochsNeverGoBack } from "./epochs.ts";
import { errorsAreAllowed } from "./errors.ts";
import { nothingIsLeaked } from "./leaks.ts";
import { callsSucceedAgain } from "./liveness.ts";
import { acknowledgedIsMirrored } from "./mirrored.ts";
import { noWriteRunsTwice } from "./once.ts";
import { readsSeeOwnWrites } from "./reads.ts";
import { noWriteToSuperseded } from "./superseded.ts";

const checks: readonly Check[] = [
  noWriteToSuperseded,
  noWriteRunsTwice,
  claimsAreTrue,
  acknowledgedIsMirrored,
  errorsAreAllowed,
  readsSeeOwnWrites,
  epochsNeverGoBack,
  everyCallEndsInTime,
  callsSucceedAgain,
  nothingIsLeaked,
  contractIsKept,
];

/** All rules, over one history. */
export function judge(happenings: readonly Recorded[]): Violation[] {
  return checks.flatMap((check) => check(happenings)).sort((a, b) => a.at - b.at);
}
