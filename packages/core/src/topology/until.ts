import type { Call } from "../call.ts";
import type { TopologyCell } from "./cell.ts";
import type { Topology } from "./topology.ts";

/** Waits until the topology passes the test: true then, false after `limitMs` or at the call's end. */
export async function until(
  cell: TopologyCell,
  test: (topology: Topology) => boolean,
  call: Call,
  limitMs: number = Number.POSITIVE_INFINITY,
): Promise<boolean> {
  if (test(cell.current)) return true;
  let unsubscribe: (() => void) | undefined;
  try {
    return await call.wait<boolean>(
      (resolve) => {
        unsubscribe = cell.subscribe((after) => {
          if (test(after)) resolve(true);
        });
      },
      () => NOT_IN_TIME,
      limitMs,
    );
  } catch (error) {
    if (error === NOT_IN_TIME) return false;
    throw error;
  } finally {
    unsubscribe?.();
  }
}

const NOT_IN_TIME = Symbol("not in time");
