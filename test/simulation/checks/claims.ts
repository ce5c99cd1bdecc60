import type { Check, Of, Violation } from "./check.ts";
import { all, tokenOf } from "./check.ts";

/**
 * What the application was told is true: an acknowledged write had been committed by the server that it was sent to, and one
 * that is said to have had no effect never has one, on no server.
 */
export const claimsAreTrue: Check = (happenings) => {
  const violations: Violation[] = [];
  const applied = new Map(all(happenings, "applied").map((each) => [each.token, each]));
  const sentTo = new Map<string, string>();
  for (const { text, instance } of all(happenings, "sent")) sentTo.set(tokenOf(text) ?? "", instance);
  for (const claim of all(happenings, "claim")) {
    for (const token of claim.tokens) {
      const what = judge(claim, token, applied.get(token), sentTo.get(token));
      if (what !== undefined) violations.push({ rule: "claims are true", at: claim.at, what });
    }
  }
  return violations;
};

function judge(
  { fate, call, step }: Of<"claim">,
  token: string,
  applied: Of<"applied"> | undefined,
  sentTo: string | undefined,
): string | undefined {
  if (fate === "unknown") return undefined;
  if (fate === "not-committed") {
    return (
      applied && `call ${call} was told that ${token} had no effect, and ${applied.server} has it at ${applied.at}`
    );
  }
  if (applied === undefined || applied.step > step)
    return `call ${call} was told of ${token}, which nobody had committed`;
  const isThere = sentTo?.startsWith(`${applied.server}.`) === true;
  return isThere ? undefined : `${token} was sent to ${sentTo}, and ${applied.server} has it`;
}
