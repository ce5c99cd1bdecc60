import { type PoolSource, takePool } from "@mirrorpool/core";
import { checkOptions, checkSignal } from "./options.ts";
import { lockTarget } from "./target/lock.ts";
import { type RestorePlan, truncate } from "./target/phases.ts";
import { tighten } from "./target/relax.ts";
import { readMark, unmark } from "./target/run.ts";
import { MARK, Target } from "./target/target.ts";

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
  const target = new Target(pool);
  try {
    await pool.start(signal && { signal });
    const lock = await lockTarget(pool, signal);
    try {
      const found = await readMark(target, signal);
      if (found === undefined) return undefined;
      const plan = JSON.parse(found.plan) as RestorePlan; // our own
      const mayEmpty = !plan.withDefinitions && plan.existing !== "append";
      await target.step("abandoned", "putting the tables back", signal, async (connection) => {
        // before that nothing was done to them
        const { rowCount } = await connection.query(`SELECT FROM ${MARK}.step WHERE name = 'before'`);
        if (rowCount === 0 || plan.withDefinitions) return;
        if (mayEmpty && plan.names.length > 0) await truncate(connection, plan);
        await tighten(connection, mayEmpty);
      });
      await unmark(target, signal);
      return found.name;
    } finally {
      lock.release();
    }
  } finally {
    target.close();
    await release();
  }
}
