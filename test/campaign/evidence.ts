import type { Operation } from "./history.ts";

/** What the workload has left in a server's tables. The rows name the operation that wrote them. */
export interface Tables {
  readonly entries: readonly { readonly op: number }[];
  readonly journal: readonly {
    readonly op: number;
    readonly debited: number;
    readonly credited: number;
    readonly amount: number;
  }[];
  readonly readings: readonly { readonly op: number; readonly counter: number; readonly seen: number }[];
}

/** What the primary has in the end. */
export interface FinalState extends Tables {
  readonly balances: ReadonlyMap<number, number>;
  readonly counters: ReadonlyMap<number, number>;
}

/** A former primary that ran on after another one was promoted, as it was found before it became a mirror again. */
export interface Superseded {
  readonly node: string;
  readonly promotedAt: number;
  /** Operations written by it that were under way at the promotion, or called later. */
  readonly operations: readonly number[];
}

/** All that a campaign is judged by. */
export interface Evidence {
  readonly operations: readonly Operation[];
  readonly final: FinalState;
  readonly openingBalance: number;
  readonly superseded: readonly Superseded[];
  /** Errors that reached the process and no caller. */
  readonly uncaught: readonly string[];
  /** What the pool itself has reported to be wrong: losses, which synchronous mirroring does not have, and warnings. */
  readonly complaints: readonly string[];
  /** What had to happen after a fault, and did not in time. */
  readonly stuck: readonly string[];
}
