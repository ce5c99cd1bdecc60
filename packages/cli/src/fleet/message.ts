import type { RestoreOutcome, RestoreUnit } from "@mirrorpool/backup";
import type { Unit, UnitOutcome } from "@mirrorpool/sync";

/** Names of the clusters that a unit is about, as the configurations of all machines have them. Never a URL. */
export type Place =
  | { readonly from: string; readonly to: string }
  /** `of`: whose backups they are. */
  | { readonly into: string; readonly of: string };

/** A unit of work on its way to whichever worker takes it. */
export interface Request {
  readonly id: string;
  /** The queue that waits for the outcome. */
  readonly answers: string;
  readonly place: Place;
  readonly unit: Unit | RestoreUnit;
}

export type Outcome = UnitOutcome | RestoreOutcome;

export interface Answer {
  readonly id: string;
  readonly outcome: Outcome;
}

/** What workers wait for. */
export const REQUESTS = "mirrorpool-units";
