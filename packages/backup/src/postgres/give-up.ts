import type { RestorePlan } from "../target/phases.ts";
import type { Target } from "../target/target.ts";
import { MARK } from "./mark-name.ts";
import { truncate } from "./phases.ts";
import { tighten } from "./relax.ts";

/** Tables that were there get their keys and triggers back, and are empty again where they were. */
export async function giveUp(target: Target, plan: RestorePlan, signal: AbortSignal | undefined): Promise<void> {
  const mayEmpty = !plan.withDefinitions && plan.existing !== "append";
  await target.step("abandoned", "putting the tables back", signal, async (connection) => {
    // before that nothing was done to them
    const { rowCount } = await connection.query(`SELECT FROM ${MARK}.step WHERE name = 'before'`);
    if (rowCount === 0 || plan.withDefinitions) return;
    if (mayEmpty && plan.names.length > 0) await truncate(connection, plan);
    await tighten(connection, mayEmpty);
  });
}
