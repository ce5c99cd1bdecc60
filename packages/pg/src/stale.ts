import pg from "pg";

/** The plan's columns are no longer those of the statement ("cached plan must not change result type"). */
const FEATURE_NOT_SUPPORTED = "0A000";
const NO_SUCH_STATEMENT = "26000";
const DUPLICATE_STATEMENT = "42P05";

/**
 * What a server says of a statement that we have prepared and that was refused before it was bound: it had no effect, and without
 * the preparation it may well be taken.
 *
 * - `changed`: what it names has other columns by now
 * - `vanished`: the server's session is not the one in which it was prepared
 */
export type Staleness = "changed" | "vanished";

/** @param wasParsed the server may have had it before: what it says of a changed plan cannot be said of a new one */
export function stalenessOf(error: unknown, wasParsed: boolean): Staleness | undefined {
  if (!(error instanceof pg.DatabaseError)) return undefined;
  if (error.code === NO_SUCH_STATEMENT || error.code === DUPLICATE_STATEMENT) return "vanished";
  return wasParsed && error.code === FEATURE_NOT_SUPPORTED ? "changed" : undefined;
}

/** Errors of stale statements that could not be sent again, since their transaction has failed with them. */
const stale = new WeakSet<object>();

export const markStale = (error: object): void => void stale.add(error);

export const isMarkedStale = (error: unknown): boolean =>
  typeof error === "object" && error !== null && stale.has(error);
