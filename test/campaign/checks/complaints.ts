import type { Check } from "./check.ts";

/** The pool reports no loss where there is none, and has nothing to warn of. */
export const thePoolHasNoComplaint: Check = ({ complaints }) => complaints.map((what) => ({ rule: "complaint", what }));
