import type { ReduceRules, TopologyEvent } from "./reduce.ts";
import { reduce } from "./reduce.ts";
import type { Topology } from "./topology.ts";

export type TopologyListener = (after: Topology, before: Topology) => void;

/** The one mutable place of the topology: everything else reads snapshots from here. */
export class TopologyCell {
  readonly #rules: ReduceRules;
  readonly #listeners = new Set<TopologyListener>();
  #current: Topology;

  constructor(initial: Topology, rules: ReduceRules) {
    this.#current = initial;
    this.#rules = rules;
  }

  get current(): Topology {
    return this.#current;
  }

  /** Applies an event and tells all listeners, in the order in which they came, before it returns. */
  apply(event: TopologyEvent): void {
    const before = this.#current;
    const after = reduce(before, event, this.#rules);
    if (after === before) return;
    this.#current = after;
    for (const listener of this.#listeners) listener(after, before);
  }

  /** Returns the function that ends it. */
  subscribe(listener: TopologyListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
