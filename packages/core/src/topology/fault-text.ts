import type { Fault } from "../driver.ts";

/** Such as `refused (ECONNREFUSED)`, or with the driver's words `configuration (28P01: wrong user or password)`. */
export function faultText(fault: Fault | undefined): string {
  if (fault === undefined) return "unknown";
  const details = [fault.code, fault.meaning].filter((each) => each !== undefined);
  return details.length === 0 ? fault.kind : `${fault.kind} (${details.join(": ")})`;
}
