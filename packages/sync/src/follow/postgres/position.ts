import { formatLsn, type Lsn, parseLsn } from "../../postgres/pgoutput.ts";
import type { Identity, Slot } from "../../postgres/slot.ts";
import type { Start } from "../change-source.ts";

/** How far the target is: everything of that source up to there, on that timeline. */
export interface Position {
  readonly system: string;
  readonly timeline: number;
  readonly lsn: Lsn;
}

export const formatPosition = ({ system, timeline, lsn }: Position): string =>
  `${system}/${timeline} ${formatLsn(lsn)}`;

export function parsePosition(text: string): Position {
  const [server = "", lsn = "0/0"] = text.split(" ");
  const [system = "", timeline = "0"] = server.split("/");
  return { system, timeline: Number(timeline), lsn: parseLsn(lsn) };
}

/** @param endOfTimeline where the position's timeline ended, if the source has left it; undefined where it never was on it. Pure. */
export function decideStart(
  position: Position,
  source: Identity,
  slot: Slot | undefined,
  endOfTimeline: Lsn | undefined,
): Exclude<Start, { type: "continue" }> | { readonly type: "continue" } {
  const reseed = (reason: string) => ({ type: "reseed", reason }) as const;
  if (source.system !== position.system) return { type: "foreign" };
  if (slot === undefined)
    return reseed("the source has no slot for it: it went with the former primary, or was removed");
  if (!slot.isUsable) return reseed("the source has thrown away changes that were not followed yet");
  if (slot.confirmed > position.lsn)
    return reseed("the target has lost changes that it had, which the source has thrown away since");
  if (source.timeline === position.timeline) {
    return position.lsn > source.position
      ? reseed("the target has changes that the source has lost")
      : { type: "continue" };
  }
  if (endOfTimeline === undefined || position.lsn > endOfTimeline)
    return reseed("the target has changes that were lost in the source's failover");
  return { type: "continue" };
}
