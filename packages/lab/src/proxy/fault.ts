/** From the client to the server, or from the server to the client. */
export type Direction = "up" | "down";

/** What a proxy does to the traffic at the moment. */
export type Fault =
  | { readonly kind: "pass" }
  | { readonly kind: "refuse" }
  | { readonly kind: "reset" }
  | { readonly kind: "black-hole" }
  | { readonly kind: "half-open"; readonly swallowed: Direction }
  | { readonly kind: "stall" }
  | { readonly kind: "latency"; readonly ms: number; readonly jitterMs: number }
  | { readonly kind: "bandwidth"; readonly bytesPerSecond: number }
  | { readonly kind: "cut-after"; readonly bytes: number; readonly direction: Direction };

/** Limited bandwidth is handed out in slices of this length, in ms. */
const SLICE_MS = 20;

/** Whether whatever flows in `direction` disappears. */
export function swallows(fault: Fault, direction: Direction): boolean {
  return fault.kind === "black-hole" || (fault.kind === "half-open" && fault.swallowed === direction);
}

/** How many more bytes may flow in `direction` before the connection is cut. */
export function allowance(fault: Fault, direction: Direction): number {
  return fault.kind === "cut-after" && fault.direction === direction ? fault.bytes : Number.POSITIVE_INFINITY;
}

/** The largest piece that is forwarded at once. */
export function pieceBytes(fault: Fault): number {
  if (fault.kind !== "bandwidth") return Number.POSITIVE_INFINITY;
  return Math.max(1, Math.floor((fault.bytesPerSecond * SLICE_MS) / 1000));
}

/**
 * When a piece of `bytes` that arrives at `now` may be forwarded.
 * @param busyUntil when the link has forwarded everything before it
 * @param chance 0 to 1, for the jitter
 */
export function dueAt(fault: Fault, bytes: number, now: number, busyUntil: number, chance: number): number {
  switch (fault.kind) {
    case "latency":
      return now + fault.ms + chance * fault.jitterMs;
    case "bandwidth":
      return Math.max(now, busyUntil) + (bytes / fault.bytesPerSecond) * 1000;
    default:
      return now;
  }
}
