import type { Check } from "./check.ts";

/** No error reaches the process. */
export const nothingIsUncaught: Check = ({ uncaught }) => uncaught.map((what) => ({ rule: "uncaught", what }));
