import type { Check } from "./check.ts";
import { all } from "./check.ts";

/** Once the troubles are over and there is a primary, calls succeed again. */
export const callsSucceedAgain: Check = (happenings) => {
  const awaited = new Map(all(happenings, "call").map((call) => [call.call, call]));
  return all(happenings, "end").flatMap(({ at, call: id, error }) => {
    const call = awaited.get(id);
    if (call?.mustSucceed !== true || error === undefined) return [];
    const what = `call ${id} (${call.text}) failed after all troubles: ${error.name}: ${error.message}`;
    return [{ rule: "calls succeed again", at, what }];
  });
};
