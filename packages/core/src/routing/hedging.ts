import type { NodeId } from "../topology/node.ts";
import { Budget } from "./budget.ts";
import { Percentile } from "./percentile.ts";

/** A read that takes longer than this share of those of its node is slow. */
const SLOW_BEYOND = 0.95;

/** When a read counts as slow, and how many of the slow ones may be sent to a second node. */
export class Hedging {
  readonly #budget: Budget;
  readonly #times = new Map<NodeId, Percentile>();

  /** @param share of the reads that may be sent twice */
  constructor(share: number) {
    this.#budget = new Budget(share);
  }

  /** A read that may be hedged goes to this node. @returns after how many ms it is slow; undefined while that is not known */
  begin(node: NodeId): number | undefined {
    this.#budget.earn();
    return this.#times.get(node)?.ms;
  }

  /** The node has answered after this time, or had not answered until then. */
  note(node: NodeId, ms: number): void {
    let times = this.#times.get(node);
    if (times === undefined) {
      times = new Percentile(SLOW_BEYOND);
      this.#times.set(node, times);
    }
    times.note(ms);
  }

  /** One more may be sent twice now. */
  trySpend(): boolean {
    return this.#budget.trySpend();
  }
}
