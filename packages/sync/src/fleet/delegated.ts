import { JobError } from "../errors.ts";
import { ViewLost } from "../faults.ts";
import type { Delegate, Unit } from "./unit.ts";
import { UnitFailed } from "./unit-failed.ts";

/** Has a unit done, and gives its result. @throws {ViewLost} {UnitFailed} {JobError} */
export async function delegated<Result>(delegate: Delegate, unit: Unit, signal: AbortSignal): Promise<Result> {
  const outcome = await delegate(unit, signal);
  switch (outcome.what) {
    case "done":
      return outcome.result as Result; // of our own version of this package: what the worker's function for this kind gives
    case "view-lost":
      throw new ViewLost(outcome.isTakenAway ? new Error("the server has taken it away") : undefined);
    case "failed":
      if (outcome.isPassing) throw new UnitFailed(outcome.message);
      throw new JobError("CHUNK_FAILED", `a worker could not do its part: ${outcome.message}`, { resumable: true });
    default:
      return outcome satisfies never;
  }
}
