import type { FollowEvent } from "./follow.ts";

/** A listener that throws is the application's own affair. */
export function tellEvent(listener: ((event: FollowEvent) => void) | undefined, event: FollowEvent): void {
  try {
    listener?.(event);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    process.emitWarning(`onEvent has thrown: ${why}`, "MirrorpoolWarning");
  }
}
