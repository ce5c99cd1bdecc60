import { type Conflict, JobError } from "../errors.ts";
import { codeOf } from "../faults.ts";
import type { ChangedRow, Key, Row } from "../model.ts";
import { type Querier, tell } from "../querier.ts";
import type { Applier } from "./applier.ts";
import type { Followed } from "./change-source.ts";
import { type Change, type Effect, isSameKey, netEffect } from "./net-effect.ts";

export interface Writing {
  readonly applier: Applier;
  readonly tables: ReadonlyMap<string, Followed>;
  /** Parents have lower levels than their children. */
  readonly levels: ReadonlyMap<string, number>;
  readonly onConflict: "stop" | "source-wins";
  readonly tellConflict: (conflict: Conflict) => void;
  readonly signal: AbortSignal;
}

interface Acting extends Writing {
  /** Foreign keys act by themselves. */
  readonly doAct: boolean;
}

const SAVEPOINT = "mirrorpool_changes";

/**
 * Writes changes in an open transaction: what they come to, table by table; where that does not fit, one after the other as the
 * source has made them.
 * @throws {JobError} `CONFLICT`
 */
export async function writeChanges(on: Querier, changes: readonly Change[], writing: Writing): Promise<void> {
  const { applier } = writing;
  if (applier.actions !== "as-told") return writeAlike(on, changes, writing, applier.actions === "always");
  for (const group of alike(changes)) {
    const doAct = group[0]?.isSilent === true;
    await applier.act(on, doAct);
    await writeAlike(on, group, writing, doAct);
  }
}

/** Runs of changes for which foreign keys act, or do not. */
function alike(changes: readonly Change[]): readonly (readonly Change[])[] {
  const groups: Change[][] = [];
  for (const change of changes) {
    const last = groups.at(-1);
    if (last?.[0]?.isSilent === change.isSilent) last.push(change);
    else groups.push([change]);
  }
  return groups;
}

async function writeAlike(on: Querier, changes: readonly Change[], given: Writing, doAct: boolean): Promise<void> {
  if (changes.length === 0) return;
  const writing = { ...given, doAct };
  const { keepsOrder } = writing.applier;
  const isInOrder = doAct && changes.some(({ type, table }) => type !== "insert" && keepsOrder.has(table));
  const effects = isInOrder ? undefined : netEffect(changes);
  if (effects !== undefined) {
    await tell(on, `SAVEPOINT ${SAVEPOINT}`);
    try {
      if (await writeEffects(on, effects, writing)) {
        await tell(on, `RELEASE SAVEPOINT ${SAVEPOINT}`);
        return;
      }
    } catch (error) {
      if (!writing.applier.isConflict(error)) throw error;
    }
    await tell(on, `ROLLBACK TO SAVEPOINT ${SAVEPOINT}`);
  }
  for (const change of changes) await writeChange(on, change, writing);
}

/** False where the target did not have what the changes are about. */
async function writeEffects(
  on: Querier,
  effects: ReadonlyMap<string, readonly Effect[]>,
  { applier, tables, levels, signal, doAct }: Acting,
): Promise<boolean> {
  const levelOf = (name: string): number => levels.get(name) ?? 0;
  const names = [...effects.keys()].sort((one, other) => levelOf(one) - levelOf(other));
  for (const name of names) {
    const { table } = tables.get(name) as Followed; // changes are of followed tables
    const of = (type: Effect["type"]): readonly Effect[] =>
      (effects.get(name) ?? []).filter((each) => each.type === type);
    const inserts = of("insert");
    if (inserts.some(({ row }) => row?.includes(undefined))) return false;
    const added = await applier.insertRows(
      on,
      table,
      inserts.map(({ row }) => row as Row),
      signal,
    );
    if (added !== inserts.length) return false;
    for (const group of groupByKnown(of("update"))) {
      const keys = group.map(({ key }) => key);
      const changed = await applier.updateRows(
        on,
        table,
        keys,
        group.map(({ row }) => row as ChangedRow),
        signal,
      );
      if (changed !== group.length) return false;
    }
  }
  for (const name of names.reverse()) {
    const { table } = tables.get(name) as Followed;
    const keys = (effects.get(name) ?? []).filter(({ type }) => type === "delete").map(({ key }) => key);
    if ((await applier.deleteRows(on, table, keys, signal)) !== keys.length && !doAct) return false;
  }
  return true;
}

/** Updates that leave the same values as they are can be one statement. */
function groupByKnown(updates: readonly Effect[]): Iterable<readonly Effect[]> {
  const groups = new Map<string, Effect[]>();
  for (const update of updates) {
    const known = (update.row ?? []).map((value) => (value === undefined ? "-" : "+")).join("");
    const group = groups.get(known) ?? [];
    groups.set(known, group);
    group.push(update);
  }
  return groups.values();
}

async function writeChange(on: Querier, change: Change, writing: Acting): Promise<void> {
  const { applier, tables, signal, onConflict, tellConflict, doAct } = writing;
  const { table } = tables.get(change.table) as Followed; // changes are of followed tables
  await tell(on, `SAVEPOINT ${SAVEPOINT}`);
  let obstacle: unknown;
  try {
    const count =
      change.type === "insert"
        ? await applier.insertRows(on, table, [change.row as Row], signal)
        : change.type === "update"
          ? await applier.updateRows(on, table, [change.key], [change.row], signal)
          : await applier.deleteRows(on, table, [change.key], signal);
    if (count === 1 || (change.type === "delete" && doAct)) {
      await tell(on, `RELEASE SAVEPOINT ${SAVEPOINT}`);
      return;
    }
  } catch (error) {
    if (!writing.applier.isConflict(error)) throw error;
    obstacle = error;
  }
  await tell(on, `ROLLBACK TO SAVEPOINT ${SAVEPOINT}`);
  const conflict = await describe(on, change, table, writing);
  tellConflict(conflict);
  const isKnown = change.type === "delete" || !change.row.includes(undefined);
  if (onConflict === "stop" || obstacle !== undefined || !isKnown) {
    const why =
      obstacle === undefined ? has(conflict) : `a constraint of the target stands in the way (${codeOf(obstacle)})`;
    const message = `${change.table}: ${change.type} of the row with the key ${JSON.stringify(change.key)}: ${why}. Make the target's row right and follow again, or repair it`;
    throw new JobError("CONFLICT", message, { conflict, cause: obstacle, resumable: true });
  }
  if (change.type === "delete") return;
  if (change.type === "update" && !isSameKey(change.key, change.newKey))
    await applier.deleteRows(on, table, [change.key], signal);
  await applier.writeRows(on, table, [change.row as Row], signal);
}

const has = ({ target }: Conflict): string =>
  target === undefined ? "the target has no such row" : "the target has another row with this key";

async function describe(
  on: Querier,
  change: Change,
  table: Followed["table"],
  { applier, signal }: Writing,
): Promise<Conflict> {
  const key: Key = change.key;
  const [there] = await applier.readRows(on, table, [key], signal);
  const named = (row: ChangedRow): Readonly<Record<string, string | null>> =>
    Object.fromEntries(
      table.columns.flatMap(({ name }, index) => {
        const value = row[index];
        return value === undefined ? [] : [[name, value]];
      }),
    );
  return {
    table: change.table,
    change: change.type,
    key,
    source: change.type === "delete" ? undefined : named(change.row),
    target: there && named(there),
  };
}
