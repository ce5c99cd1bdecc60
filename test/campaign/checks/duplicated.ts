import { type Check, countEffects } from "./check.ts";

/** No write has an effect twice, whatever the application was told. */
export const nothingIsDuplicated: Check = ({ final }) =>
  [...countEffects(final)]
    .filter(([, count]) => count > 1)
    .map(([operation, count]) => ({ rule: "duplicated", operation, what: `its effect is there ${count} times` }));
