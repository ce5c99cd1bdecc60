import { type PoolSource, takePool } from "@mirrorpool/core";
import { dialectOf } from "./dialects.ts";
import { checkOptions, checkSignal } from "./options.ts";
import type { RestorePlan } from "./target/phases.ts";
import { Target } from "./target/target.ts";

/**
 * Gives an unfinished restore up. Tables that were there, and empty or to be replaced, are empty again, with their foreign keys and
 * triggers; where rows were appended they stay, and foreign keys come back without being checked (`NOT VALID`). Where the definitions
 * were restored as well all stays that is there, and only the mark goes: drop the database.
 * @returns the name of its backup; undefined where the target holds none
 */
export async function abandonRestore(
  into: PoolSource,
  given: { readonly signal?: AbortSignal } = {},
): Promise<string | undefined> {
  const signal = checkSignal(checkOptions(given, ["signal"])["signal"]);
  const { pool, release } = takePool(into);
  let target: Target | undefined;
  try {
    await pool.start(signal && { signal });
    const dialect = await dialectOf(pool, signal);
    target = new Target(pool, dialect);
    const lock = await dialect.lock(pool, signal);
    try {
      const found = await dialect.readMark(target, signal);
      if (found === undefined) return undefined;
      await dialect.giveUp(target, JSON.parse(found.plan) as RestorePlan, signal); // our own
      await dialect.unmark(target, undefined, signal);
      return found.name;
    } finally {
      lock.release();
    }
  } finally {
    target?.close();
    await release();
  }
}
