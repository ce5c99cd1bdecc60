import type { NodeId } from "../topology/node.ts";

/** What balancing knows of one candidate. */
export interface Candidate {
  readonly id: NodeId;
  /** Leases and waiting callers. */
  readonly busy: number;
  readonly latencyMs: number;
  /** Relative share of work; 0 takes work only when nothing else can. */
  readonly weight: number;
}

export type Balance = "least-busy" | "latency";

/** Round trips closer than this count as equal: below it, what a probe measures is mostly chance. */
const LATENCY_STEP_MS = 0.5;

/**
 * Sorts candidates, best first. `least-busy`: the least work per weight, then the shorter round trip. `latency`: the
 * shorter round trip, then the least work. Equals are turned by `random` (0 to just under 1), so that no node is always first.
 */
export function balance(candidates: readonly Candidate[], by: Balance, random: number): NodeId[] {
  const offset = Math.floor(random * candidates.length);
  const turned = [...candidates.slice(offset), ...candidates.slice(0, offset)];
  const load = (node: Candidate): number => (node.weight > 0 ? (node.busy + 1) / node.weight : Number.MAX_VALUE);
  const latency = (node: Candidate): number => Math.floor(node.latencyMs / LATENCY_STEP_MS);
  const compare =
    by === "latency"
      ? (a: Candidate, b: Candidate): number => latency(a) - latency(b) || load(a) - load(b)
      : (a: Candidate, b: Candidate): number => load(a) - load(b) || latency(a) - latency(b);
  return turned.sort(compare).map((node) => node.id);
}
