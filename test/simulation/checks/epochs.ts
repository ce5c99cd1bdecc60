import type { Check, Violation } from "./check.ts";

/** The epoch never goes back, and has one primary. */
export const epochsNeverGoBack: Check = (happenings) => {
  const violations: Violation[] = [];
  const primaries = new Map<number, string>();
  let highest = 0;
  for (const happening of happenings) {
    if (happening.type !== "sent" && happening.type !== "event") continue;
    const { epoch, primary } = happening.stand;
    const objections: string[] = [];
    if (epoch < highest) objections.push(`epoch ${epoch} after ${highest}`);
    highest = Math.max(highest, epoch);
    const known = primaries.get(epoch);
    if (primary !== undefined && known !== undefined && known !== primary) {
      objections.push(`epoch ${epoch} had the primary ${known}, and now has ${primary}`);
    }
    if (primary !== undefined) primaries.set(epoch, primary);
    for (const what of objections) violations.push({ rule: "epochs never go back", at: happening.at, what });
  }
  return violations;
};
