import { type Check, countEffects } from "./check.ts";

/**
 * No write is accepted from a superseded primary: what was acknowledged after the promotion and is on the former primary is on
 * the new one too. A write that was in flight there may have left its row on the former one, unacknowledged, or settled and run
 * again on the new one.
 */
export const noWriteFromSupersededEpoch: Check = ({ operations, final, superseded }) => {
  const effects = countEffects(final);
  return superseded.flatMap(({ node, promotedAt, operations: written }) =>
    written
      .map((id) => operations[id])
      .filter((each) => each?.outcome?.type === "acknowledged" && (each.endedAt ?? 0) >= promotedAt)
      .filter((each) => each !== undefined && !effects.has(each.id))
      .map((each) => ({
        rule: "stale epoch" as const,
        operation: each?.id ?? -1,
        what: `acknowledged after the promotion, and only ${node} has it, which is superseded`,
      })),
  );
};
