import { isPassing, ViewLost } from "../faults.ts";
import { StreamBroken } from "./change-source.ts";
import { PositionMoved } from "./kept-position.ts";

/**
 * What becomes of following after an error: `again`, since connecting anew may mend it; `taken`: another process follows in the same
 * name; `over`. Pure.
 * @param failures in a row, this one included
 * @param isTaken the source says that somebody else follows in the same name, which may be a connection that was just lost
 */
export function afterFailure(
  error: unknown,
  { failures, attempts, isTaken }: { readonly failures: number; readonly attempts: number; readonly isTaken: boolean },
): "again" | "taken" | "over" {
  const isOthers = isTaken || error instanceof PositionMoved;
  const mayMend = isOthers || isPassing(error) || error instanceof ViewLost || error instanceof StreamBroken;
  if (mayMend && failures < attempts) return "again";
  return isOthers ? "taken" : "over";
}
