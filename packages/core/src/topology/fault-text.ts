import type { Fault } from "../driver.ts";

/** Such as `refused (ECONNREFUSED)`. */
export function faultText(fault: Fault | undefined): string {
  if (fault === undefined) return "unknown";
  return fault.code === undefined ? fault.kind : `${fault.kind} (${fault.code})`;
}
