import type { View } from "../dialect.ts";
import { JobError } from "../errors.ts";
import type { Range, TableName } from "../model.ts";
import type { LossyRule } from "../types/fit.ts";

/** By which other processes come to a view, as long as the one that has it lives. JSON. */
export type ViewTicket =
  /** PostgreSQL: they take it over by its name. */
  | { readonly kind: "shared"; readonly node: string; readonly name: string }
  /**
   * MariaDB and MySQL: nobody can take a view over. Each process has one of its own, which is the same where it is at the same place of
   * the node's binary log; null where that is not known.
   */
  | { readonly kind: "own"; readonly node: string; readonly id: string; readonly place: string | null };

/** One chunk of a copy, by its place in the plan that the target keeps. */
export interface CopyUnit {
  readonly kind: "copy";
  readonly job: string;
  readonly generation: number;
  readonly chunk: number;
  readonly stallMs: number;
  readonly lossy: readonly LossyRule[];
  readonly view: ViewTicket;
}

/** One range of a table to be compared. */
export interface CompareUnit {
  readonly kind: "compare";
  readonly table: TableName;
  readonly range: Range;
  readonly maxDifferences: number;
  readonly lossy: readonly LossyRule[];
  readonly here: ViewTicket;
  readonly there: ViewTicket;
}

/** A piece of a job that any process can do that reaches both databases: JSON, without any secret. */
export type Unit = CopyUnit | CompareUnit;

/** What a unit comes to, as another process tells it: JSON. */
export type UnitOutcome =
  | { readonly what: "done"; readonly result: unknown }
  /** `isTakenAway`: the server has ended it, and would end the next one on this node as well. */
  | { readonly what: "view-lost"; readonly isTakenAway: boolean }
  /** `isPassing`: the same unit may succeed when it is done again. */
  | {
      readonly what: "failed";
      readonly isPassing: boolean;
      readonly code: string | undefined;
      readonly message: string;
    };

/**
 * Has a unit done elsewhere. It may be done twice, since each finds out by itself whether it is done already; but its outcome counts
 * once.
 */
export type Delegate = (unit: Unit, signal: AbortSignal) => Promise<UnitOutcome>;

/** @throws {JobError} `REFUSED` where only one process can have the view */
export function ticketOf({ ticket }: View): ViewTicket {
  if (ticket !== undefined) return ticket;
  throw new JobError("REFUSED", "this view of the source cannot be shared by several processes");
}
