import type { NodeId } from "../topology/node.ts";

/** What balancing knows of one candidate. */
export interface Candidate {
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
 * Chooses one of the nodes by the power of two choices: draws two by weight, and takes the better one. `least-busy`: the one with
 * less work per weight, then the nearer one. `latency`: the one with less work times round trip, so that a near node that has
 * too much to do leaves work to others. It looks at two nodes however many there are, and callers that choose at the same time
 * do not all meet at the one that is best.
 * @param candidateOf what is known of a node
 * @param isEven all weights are equal: drawing needs no look at them
 * @param random gives 0 to just under 1; of equals the one that was drawn first is taken
 */
export function balance(
  nodes: readonly NodeId[],
  candidateOf: (id: NodeId) => Candidate,
  by: Balance,
  isEven: boolean,
  random: () => number,
): NodeId {
  const weightOf = (id: NodeId): number => (isEven ? 1 : candidateOf(id).weight);
  const draw = isEven ? drawEvenly : drawByWeight;
  const one = draw(nodes, weightOf, random(), -1);
  const other = draw(nodes, weightOf, random(), one);
  const first = nodes[one] as NodeId; // a draw gives a place in the list
  const second = nodes[other];
  if (second === undefined) return first;
  return isBetter(candidateOf(second), candidateOf(first), by) ? second : first;
}

type Draw = (nodes: readonly NodeId[], weightOf: (id: NodeId) => number, random: number, without: number) => number;

/** @param without a place that was drawn already, -1 for none. @returns a place, -1 where none is left */
const drawEvenly: Draw = ({ length }, _, random, without) => {
  if (without < 0) return Math.floor(random * length);
  return length < 2 ? -1 : (without + 1 + Math.floor(random * (length - 1))) % length;
};

const drawByWeight: Draw = (nodes, weightOf, random, without) => {
  let total = 0;
  nodes.forEach((id, place) => {
    if (place !== without) total += weightOf(id);
  });
  // all that are left have weight 0: they take work only when nothing else can
  if (total === 0) return without < 0 ? drawEvenly(nodes, weightOf, random, without) : -1;
  let left = random * total;
  let drawn = -1;
  for (const [place, id] of nodes.entries()) {
    const weight = weightOf(id);
    if (place === without || weight === 0) continue;
    drawn = place;
    left -= weight;
    if (left < 0) break;
  }
  return drawn;
};

function isBetter(one: Candidate, other: Candidate, by: Balance): boolean {
  if (by === "latency") return load(one) * steps(one) < load(other) * steps(other);
  return load(one) < load(other) || (load(one) === load(other) && steps(one) < steps(other));
}

const load = ({ busy, weight }: Candidate): number => (busy + 1) / (weight > 0 ? weight : 1);

const steps = ({ latencyMs }: Candidate): number => Math.floor(latencyMs / LATENCY_STEP_MS) + 1;
