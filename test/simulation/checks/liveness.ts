import type { Recorded } from "../history.ts";
import type { Check } from "./check.ts";
import { all } from "./check.ts";

/** Once the troubles are over and there is a primary, calls succeed again. */
export const callsSucceedAgain: Check = (happenings) => {
  const awaited = new Map(all(happenings, "call").map((call) => [call.call, call]));
  return all(happenings, "end").flatMap(({ at, call: id, error }) => {
    const call = awaited.get(id);
    if (call?.mustSucceed !== true || error === undefined) return [];
    // what shall be mirrored needs a mirror
    if (error.code === "NOT_MIRRORED" && !seesMirror(happenings, at)) return [];
    const what = `call ${id} (${call.text}) failed after all troubles: ${error.name}: ${error.message}`;
    return [{ rule: "calls succeed again", at, what }];
  });
};

function seesMirror(happenings: readonly Recorded[], until: number): boolean {
  const seen = all(happenings, "observed").filter(({ at }) => at <= until);
  const last = new Map(seen.map(({ node, observation }) => [node, observation.role]));
  return [...last.values()].includes("mirror");
}
