import { createGtids, MariadbGtids } from "../../mysql/binlog/gtids.ts";
import type { Start } from "../change-source.ts";

/** Where the binary log of one server is. */
export interface Place {
  readonly file: string;
  readonly offset: number;
}

/** How far the target is: it has all these transactions. */
export interface Position {
  readonly gtids: string;
  /** Of the tables' shapes: the log has values without their columns' names. */
  readonly shape: string;
  /** Where that was in the log of the server from which it came. */
  readonly place: Place | undefined;
}

export const formatPosition = ({ gtids, shape, place }: Position): string =>
  [gtids === "" ? "-" : gtids, shape, ...(place === undefined ? [] : [`${place.file}:${place.offset}`])].join(" ");

export function parsePosition(text: string): Position {
  const [gtids = "", shape = "", place] = text.split(" ");
  const at = place?.lastIndexOf(":") ?? -1;
  return {
    gtids: gtids === "-" ? "" : gtids,
    shape,
    place: place === undefined ? undefined : { file: place.slice(0, at), offset: Number(place.slice(at + 1)) },
  };
}

/** A primary's binary log as it was found. */
export interface Log {
  readonly isMariadb: boolean;
  /** All that it has: `gtid_binlog_state` of MariaDB, `gtid_executed` of MySQL. */
  readonly has: string;
  /** MySQL: what it has thrown away. MariaDB says so when it is asked for it. */
  readonly purged: string;
  readonly shape: string;
}

/**
 * Whether a position is one from which this log goes on.
 * @param failure what the log itself has said when it was asked for it. Pure.
 */
export function decideStart(
  position: Position,
  { isMariadb, has, purged, shape }: Log,
  failure: string | undefined,
): Exclude<Start, { type: "continue" }> | { readonly type: "continue" } {
  const reseed = (reason: string) => ({ type: "reseed", reason }) as const;
  try {
    if (failure !== undefined) return reseed(failure);
    const kept = createGtids(isMariadb, position.gtids);
    const last = kept instanceof MariadbGtids ? kept.last : position.gtids;
    if (!createGtids(isMariadb, has).covers(last)) return reseed("the target has changes that the source has lost");
    if (!kept.covers(purged)) return reseed("the source has thrown away changes that were not followed yet");
    if (position.shape !== shape)
      return reseed(
        "tables were changed, or are others than before: what the log has of the time before cannot be read",
      );
    return { type: "continue" };
  } catch {
    return { type: "foreign" }; // a position of another system
  }
}
