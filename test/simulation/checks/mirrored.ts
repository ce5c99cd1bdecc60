import type { Check } from "./check.ts";
import { all } from "./check.ts";
import { isLinear, isMirrored } from "./lineage.ts";

/** With mirrored durability an acknowledged write is on two servers at least when the application is told. */
export const acknowledgedIsMirrored: Check = (happenings) => {
  // a mirror that does not tell its timeline may follow a lost one: a known gap, see the setting
  const isTold = all(happenings, "setting")[0]?.setting.world.flavour === "timelines";
  if (!isMirrored(happenings) || !isTold || !isLinear(happenings)) return [];
  const ends = new Map(all(happenings, "end").map((end) => [end.call, end]));
  return all(happenings, "claim").flatMap(({ at, call, tokens, fate, copies }) => {
    // whoever is told that no mirror has it, is told the truth
    if (fate !== "committed" || copies >= 2 || ends.get(call)?.error?.code === "NOT_MIRRORED") return [];
    return [
      { rule: "acknowledged is mirrored", at, what: `call ${call}: ${copies} servers have ${tokens.join(", ")}` },
    ];
  });
};
