import type { View } from "../dialect.ts";
import { rowFormOf } from "../dialects.ts";
import { JobError, type Refusal, refused } from "../errors.ts";
import { foreignKeyOrder } from "../foreign-key-order.ts";
import { type Catalog, type Constraints, nameOf } from "../model.ts";
import type { Pair } from "../pair-tables.ts";
import { onPrimary } from "../querier.ts";
import { bareOf, keysFor } from "../types/keys-for.ts";
import { evenBytes, planChunks } from "./chunks.ts";
import { refuseLosses } from "./losses.ts";
import { type CopyPlan, differenceOf, type PlannedTable } from "./plan.ts";
import { findSetAside } from "./set-aside.ts";
import type { Work } from "./work.ts";

/** The plan that was begun, or a new one, which is then begun in one transaction with all that it changes. */
export async function settlePlan(
  work: Work,
  view: View,
  source: Catalog,
  target: Catalog,
  pairs: readonly Pair[],
  constraints: Constraints | undefined,
): Promise<{ readonly plan: CopyPlan; readonly generation: number }> {
  const { bridge, job, to, signal, numbers, isAgain } = work;
  const { state } = bridge.target;
  const there = onPrimary(to);
  const targets = pairs.map((pair) => pair.target);
  const isOrdered = bridge.target.isOrdered(targets);
  const { levels, circular } = foreignKeyOrder(targets, target.foreignKeys);
  const planned: readonly PlannedTable[] = pairs.map((pair) => ({
    schema: pair.source.schema,
    name: pair.source.name,
    columns: pair.source.columns.map(({ name }) => name),
    form: rowFormOf(source, target, pair),
    level: isOrdered ? (levels.get(nameOf(pair.target)) ?? 0) : 0,
  }));
  const stored = await state.load(there, job);
  if (stored?.state === "running") {
    const begun = stored.kind === "copy" ? (JSON.parse(stored.plan) as CopyPlan) : undefined;
    const why = begun === undefined ? `it is a ${stored.kind}` : differenceOf(begun, source.identity, planned);
    if (begun === undefined || why !== undefined) {
      const message = `there is an unfinished job ${job} on the target, and this is not it: ${why}. Finish that one, or give this one another name`;
      throw new JobError("JOB_CONFLICT", message);
    }
    // it may have been ended after it had brought them back, and before it said that it was finished
    const made = new Set(begun.keys?.foreignKeys.map(({ name }) => name));
    const again = made.size === 0 ? [] : await bridge.target.findObstacles(there, targets);
    const keys = again.filter(({ kind, name }) => kind === "foreign-key" && made.has(name));
    await bridge.target.setAsideAgain(to, [...begun.setAside, ...keys], signal);
    return { plan: begun, generation: await state.nextGeneration(there, job) };
  }
  const into = stored !== undefined && isAgain ? "compare" : work.into;
  const filled = into === "empty" ? await bridge.target.findFilled(there, targets) : [];
  const refusals: Refusal[] = filled.map((table) => ({
    table: nameOf(table),
    reason: `the target has rows in it${stored === undefined ? "" : `, and the job ${job} was finished before`}. Empty it, or say into: "replace"`,
  }));
  if (isOrdered) {
    for (const table of circular)
      refusals.push({
        table,
        reason: "it is in a circle of foreign keys, which only the owner of the target's tables may set aside",
      });
  }
  refusals.push(...(await bridge.target.findHindrances(there, targets)));
  if (refusals.length === 0) refusals.push(...(await refuseLosses(bridge, view.holder, pairs, signal)));
  if (refusals.length > 0) throw refused(`the copy ${job} is`, refusals);
  const sources = pairs.map((pair) => pair.source);
  const { chunkBytes, connections } = numbers;
  const even = evenBytes(sources, chunkBytes, connections);
  const isDelegated = work.options.delegate !== undefined;
  const given = { chunkBytes: even, isEmpty: into !== "compare", isDelegated };
  const setAside = isOrdered ? [] : await findSetAside(bridge, there, pairs, given);
  const chunks = await planChunks(bridge.source, view.holder, sources, chunkBytes, signal, even);
  // also those that a run has made which ended before it had a plan
  const made =
    constraints && bridge.from !== bridge.to && bareOf(sources, await bridge.target.readConstraints(there, signal));
  const keys = constraints && made && keysFor(constraints, made, bridge.to);
  const plan: CopyPlan = {
    version: 1,
    source: source.identity,
    tables: planned,
    chunks,
    setAside,
    ...(keys && { keys }),
  };
  const start = { job, plan: JSON.stringify(plan), setAside };
  const stale = into === "compare" ? chunks.length : 0;
  await bridge.target.beginCopy(to, { ...start, stale, emptied: into === "replace" ? targets : [] }, signal);
  return { plan, generation: 1 };
}
