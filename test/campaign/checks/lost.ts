import { type Check, countEffects, writes } from "./check.ts";

/** Every acknowledged write is there. */
export const nothingIsLost: Check = ({ operations, final }) => {
  const effects = countEffects(final);
  return operations
    .filter((each) => writes(each) && each.outcome?.type === "acknowledged" && !effects.has(each.id))
    .map(({ id, kind }) => ({ rule: "lost", operation: id, what: `an acknowledged ${kind} is not there` }));
};
