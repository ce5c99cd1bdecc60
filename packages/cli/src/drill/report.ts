import type { DrillError, Slot } from "./recorder.ts";

/** What became of the application during one fault. */
export interface FaultReport {
  readonly name: string;
  readonly description: string;
  /** From the beginning of the drill, in ms: when it began, when writes went again, when the cluster was whole again. */
  readonly at: number;
  readonly writableAt: number | undefined;
  readonly healedAt: number;
  /** The longest time in which no operation ended well. */
  readonly longestGapMs: number;
  readonly done: number;
  readonly failed: number;
  readonly notes: readonly { readonly at: number; readonly what: string }[];
}

/** A whole drill, as it is written to the JSON file. */
export interface DrillReport {
  readonly startedAt: string;
  readonly durationMs: number;
  readonly workload: string;
  readonly callers: number;
  readonly mirrors: number;
  readonly done: number;
  readonly failed: number;
  /** Errors of the application, by code. */
  readonly codes: Readonly<Record<string, number>>;
  readonly errors: readonly DrillError[];
  readonly faults: readonly FaultReport[];
  readonly slots: readonly Slot[];
  readonly events: readonly { readonly at: number; readonly name: string; readonly event: object }[];
  /** What the workload found to be wrong with the data. */
  readonly problems: readonly string[];
}
