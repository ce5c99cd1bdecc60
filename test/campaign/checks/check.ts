import type { Evidence, Tables } from "../evidence.ts";
import type { Operation } from "../history.ts";

/** A broken rule, and by which operation. */
export interface Violation {
  readonly rule:
    | "lost"
    | "duplicated"
    | "effect of a failed write"
    | "effect of nobody"
    | "balance"
    | "lost update"
    | "wrong answer"
    | "stale epoch"
    | "unexplained error"
    | "hung"
    | "uncaught"
    | "complaint"
    | "stuck";
  readonly operation?: number;
  readonly what: string;
}

/** Looks through the evidence for what must not be in it. Pure. */
export type Check = (evidence: Evidence) => readonly Violation[];

/** Whether an operation of this kind leaves one row. */
export function writes({ kind }: Operation): boolean {
  return kind === "transfer" || kind === "append" || kind === "read-modify-write";
}

/** How many rows each operation has left. */
export function countEffects({ entries, journal, readings }: Tables): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const { op } of [...entries, ...journal, ...readings]) counts.set(op, (counts.get(op) ?? 0) + 1);
  return counts;
}
