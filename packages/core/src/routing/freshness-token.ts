import type { Positions } from "../driver.ts";
import type { Topology } from "../topology/topology.ts";

/** A position that covers a write, for readers in another process. */
export interface FreshnessToken {
  readonly systemId: string;
  readonly timeline: number | undefined;
  readonly position: string;
}

/** As text for a header or a cookie: letters, digits, `-` and `_`. Holds no secret. */
export function formatToken({ systemId, timeline, position }: FreshnessToken): string {
  return Buffer.from(JSON.stringify([systemId, timeline ?? null, position])).toString("base64url");
}

/** Undefined for what {@link formatToken} has not made. */
export function parseToken(text: string): FreshnessToken | undefined {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, "base64url").toString());
  } catch {
    return undefined;
  }
  if (!Array.isArray(parts) || parts.length !== 3) return undefined;
  const [systemId, timeline, position] = parts as unknown[];
  if (typeof systemId !== "string" || typeof position !== "string") return undefined;
  if (timeline !== null && !Number.isSafeInteger(timeline)) return undefined;
  return { systemId, timeline: timeline === null ? undefined : (timeline as number), position };
}

/**
 * The time that a mirror must be fresh as of to have what the token covers: when the first sample was taken that covers it as
 * well. Infinity, which means the primary, where there is none yet, or a promotion lies between. Pure.
 */
export function freshAfterToken(token: FreshnessToken, topology: Topology, { covers }: Positions): number {
  const { reign, samples } = topology;
  if (reign === undefined || reign.timeline !== token.timeline) return Number.POSITIVE_INFINITY;
  return samples.find(({ position }) => covers(position, token.position))?.sentAt ?? Number.POSITIVE_INFINITY;
}
