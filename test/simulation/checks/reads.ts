import type { Check } from "./check.ts";
import { all } from "./check.ts";
import { hasTwins } from "./lineage.ts";

/**
 * A read sees all that this process had been told was committed before the read began, and what its own transaction has
 * written. What an asynchronous failover has lost is excused.
 */
export const readsSeeOwnWrites: Check = (happenings) => {
  // an address may lead to a stranger for a while before the next probe finds out
  const strange = all(happenings, "sent").filter(({ instance }) => instance.startsWith("stranger"));
  // a mirror that does not tell its timeline may follow a lost one after a failover: a known gap, see the setting
  const isTold = all(happenings, "setting")[0]?.setting.world.flavour !== "timelines-of-primaries-only";
  const untold = isTold ? [] : all(happenings, "sent").filter(({ stand }) => stand.epoch > 1);
  // after two promotions to one timeline nobody can tell whose history a mirror on it follows
  if (hasTwins(happenings)) return [];
  const excused = new Set([...strange, ...untold].map(({ call }) => call));
  return all(happenings, "end").flatMap(({ at, call, reads, mustSee = [] }) => {
    if (reads === undefined || excused.has(call)) return [];
    const seen = new Set(reads);
    const missing = mustSee.filter((token) => !seen.has(token));
    if (missing.length === 0) return [];
    return [{ rule: "reads see own writes", at, what: `call ${call} did not see ${missing.join(", ")}` }];
  });
};
