import type { Call } from "../call.ts";
import type { Work } from "./work.ts";

/** Waits until nothing of the kind is under way: true then, false at the call's end. */
export async function drain(work: Work, kind: "writes" | "all", call: Call): Promise<boolean> {
  const isIdle = (): boolean => (kind === "writes" ? work.writes : work.total) === 0;
  if (isIdle()) return true;
  let unsubscribe: (() => void) | undefined;
  try {
    return await call.wait<boolean>(
      (resolve) => {
        unsubscribe = work.onEnd(() => {
          if (isIdle()) resolve(true);
        });
      },
      () => NOT_IDLE,
    );
  } catch (error) {
    if (error === NOT_IDLE) return false;
    throw error;
  } finally {
    unsubscribe?.();
  }
}

const NOT_IDLE = Symbol("not idle in time");
