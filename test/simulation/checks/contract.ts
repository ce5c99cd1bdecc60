import type { Check } from "./check.ts";
import { all } from "./check.ts";

/**
 * The contract of the ports is kept: no two statements at once on a connection, no connection in the hands of two, none lent
 * with somebody's transaction or state on it; and no error escapes to the process.
 */
export const contractIsKept: Check = (happenings) =>
  all(happenings, "broken").map(({ at, what }) => ({ rule: "the contract is kept", at, what }));
