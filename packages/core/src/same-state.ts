import type { SessionState } from "./driver.ts";

/** Whether connections with these states behave alike. */
export function isSameState(one: SessionState | undefined, other: SessionState | undefined): boolean {
  return one === other || one?.key === other?.key;
}
