import type { Positions } from "@mirrorpool/core";

/** A WAL position such as `16/B374D848` as one number of bytes. */
function toBytes(lsn: string): bigint {
  const [high = "", low = ""] = lsn.split("/");
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}

/** WAL positions (LSN). Only positions of one timeline compare; the core sees to that. */
export const positions: Positions = {
  covers: (position, other) => toBytes(position) >= toBytes(other),
  distanceBytes: (ahead, behind) => {
    const distance = toBytes(ahead) - toBytes(behind);
    return distance > 0n ? Number(distance) : 0;
  },
};
