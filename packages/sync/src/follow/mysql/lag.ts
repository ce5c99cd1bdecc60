import { createGtids } from "../../mysql/binlog/gtids.ts";
import type { Lag } from "../change-source.ts";
import type { EndWatch } from "./end-watch.ts";
import { parsePosition } from "./position.ts";

/** How far a position is behind the end of the source's log, as far as the source has told. Pure. */
export function lagOf(isMariadb: boolean, position: string, { end, files }: Pick<EndWatch, "end" | "files">): Lag {
  if (end === undefined) return { isBehind: false, bytes: undefined };
  const { gtids, place } = parsePosition(position);
  const isBehind = !createGtids(isMariadb, gtids).covers(end);
  if (!isBehind) return { isBehind, bytes: 0 };
  const at = place === undefined ? -1 : (files?.findIndex(({ name }) => name === place.file) ?? -1);
  if (files === undefined || place === undefined || at < 0) return { isBehind, bytes: undefined };
  const bytes = files.slice(at).reduce((sum, file) => sum + file.bytes, 0) - place.offset;
  return { isBehind, bytes: Math.max(0, bytes) };
}
