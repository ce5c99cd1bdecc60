import type { Check } from "./check.ts";

/** After each fault the work goes on again. */
export const workGoesOn: Check = ({ stuck }) => stuck.map((what) => ({ rule: "stuck", what }));
