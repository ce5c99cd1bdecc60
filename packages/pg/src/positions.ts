import type { Positions } from "@mirrorpool/core";

/** A WAL position such as `16/B374D848` as one number of bytes. */
function toBytes(lsn: string): bigint {
  const [high = "", low = ""] = lsn.split("/");
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}

/** Headers of a WAL page, and of the first page of a segment (`SizeOfXLogShortPHD`, `SizeOfXLogLongPHD`). */
const PAGE_HEADER_BYTES = 24n;
const SEGMENT_HEADER_BYTES = 40n;

/**
 * Where the WAL ends that is written. When the last record has filled its page the insert position already lies behind the
 * next page's header, which nobody has written and no mirror can have replayed: an idle primary would be ahead for ever.
 */
export function endOfWal(lsn: string, blockBytes: number, segmentBytes: number): string {
  const bytes = toBytes(lsn);
  if (bytes % BigInt(segmentBytes) === SEGMENT_HEADER_BYTES) return toLsn(bytes - SEGMENT_HEADER_BYTES);
  return bytes % BigInt(blockBytes) === PAGE_HEADER_BYTES ? toLsn(bytes - PAGE_HEADER_BYTES) : lsn;
}

function toLsn(bytes: bigint): string {
  return `${(bytes >> 32n).toString(16)}/${(bytes & 0xffff_ffffn).toString(16)}`.toUpperCase();
}

/** WAL positions (LSN). Only positions of one timeline compare; the core sees to that. */
export const positions: Positions = {
  covers: (position, other) => toBytes(position) >= toBytes(other),
  distanceBytes: (ahead, behind) => {
    const distance = toBytes(ahead) - toBytes(behind);
    return distance > 0n ? Number(distance) : 0;
  },
};
