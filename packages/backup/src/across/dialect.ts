import { setTimeout as sleep } from "node:timers/promises";
import { NoPrimaryError, type ReservedConnection } from "@mirrorpool/core";
import {
  isPassing,
  type Keys,
  makeKeys,
  type SequenceState,
  type Dialect as SyncDialect,
  type Table,
} from "@mirrorpool/sync/for-other-jobs";
import type { TargetDialect } from "../dialect.ts";
import { BackupError } from "../errors.ts";
import type { BackedUpTable, Manifest } from "../format/manifest.ts";
import type { OpenedBackup } from "../format/repository.ts";
import { showTable } from "../table-names.ts";
import type { Phase, RestorePlan } from "../target/phases.ts";
import type { Target } from "../target/target.ts";
import { convertedRows } from "./converted-rows.ts";
import { findLosses } from "./find-losses.ts";
import { definitionsOf, homeOf, keysOf, type PlacedPair, placePairs, type Way } from "./pairs.ts";
import { refuseIfAny } from "./refusals.ts";

type Signal = AbortSignal | undefined;

/** The step that says that the backup was looked through for what the target cannot hold. */
const LOOKED = "looked for losses";

/**
 * Restores backups of another system: tables are made in the words of the target's, and values written in its forms, as `copy` does.
 * Everything else is the target's own way.
 * @param base of the target's system
 * @param there the same of sync
 */
export function createAcrossDialect(
  base: TargetDialect,
  there: SyncDialect,
  backup: OpenedBackup,
  way: Way,
): TargetDialect {
  const { manifest } = backup;
  const moved = { ...backup, manifest: inTarget(manifest) };
  const all = [...manifest.tables.keys()];
  let known: ReadonlyMap<number, PlacedPair> | undefined;

  /** Where rows go. @throws {BackupError} `LOSS` where types do not fit */
  const pair = async (
    on: ReservedConnection,
    places: readonly number[],
    signal: Signal,
  ): Promise<typeof known & {}> => {
    const { pairs, refusals } = placePairs(manifest, places, await there.readCatalog(on, signal), way);
    refuseIfAny(refusals);
    return pairs;
  };
  const look = async (target: Target, plan: RestorePlan, jobs: number, signal: Signal): Promise<void> => {
    known = await target.on(signal, (on) => pair(on, plan.tables, signal));
    refuseIfAny(await findLosses(backup, known, jobs, signal));
  };
  /** What there is of the target's own system to be done with tables that are there. */
  const asThere = (plan: RestorePlan): RestorePlan => ({ ...plan, withDefinitions: false });

  return Object.freeze({
    ...base,
    requireFit: async (target, _, plan, signal) => {
      if (plan.withDefinitions) {
        refuseIfAny(definitionsOf(manifest, plan.tables, way).refusals);
        return base.requireFit(target, moved.manifest, plan, signal);
      }
      await base.requireFit(target, moved.manifest, plan, signal);
      await look(target, plan, 1, signal);
    },
    prepare: async (phase) => {
      const { target, plan, jobs, signal } = phase;
      if (!plan.withDefinitions) await base.prepare({ ...phase, backup: moved });
      else await makeTables(phase, definitionsOf(manifest, plan.tables, way).texts);
      if (!plan.withDefinitions || (await base.stepsDone(target, signal)).has(LOOKED)) {
        known = await target.on(signal, (on) => pair(on, plan.tables, signal));
        return;
      }
      try {
        await look(target, plan, jobs, signal);
      } catch (error) {
        // nothing is in them yet: the target is as it was
        if (error instanceof BackupError && error.code === "LOSS") await dropTables(base, phase);
        throw error;
      }
      await target.step(LOOKED, LOOKED, signal, async () => {});
    },
    write: async (connection, _, table) => {
      const place = manifest.tables.indexOf(table);
      known ??= await pair(connection, all, undefined);
      const { target, conversions } = known.get(place) ?? fail(table);
      return () => convertedRows(there.sink(connection, target, table.columns, "text"), conversions);
    },
    isUnsafe: async () => false, // such tables were refused
    finish: async (phase) => {
      const { plan, target, jobs, signal = new AbortController().signal } = phase;
      phase.meter.enter("constraints");
      const tables = plan.tables.flatMap((place) => known?.get(place)?.target ?? []);
      const work = { dialect: there, to: target.pool, connections: jobs, signal };
      const left = plan.withDefinitions ? await giveKeys(work, keysOf(manifest, plan.tables, way.to), tables) : [];
      await base.finish({ ...phase, backup: moved, plan: asThere(plan) });
      await there.setSequences(target.pool, tables, countersOf(manifest));
      return left;
    },
  } satisfies TargetDialect);
}

function fail(table: BackedUpTable): never {
  const subject = showTable(table);
  throw new BackupError("TARGET_LACKS", `${subject} is not in the target as it is in the backup`, { subject });
}

/** The manifest in the target's names, without what only its own system has. Pure. */
export const inTarget = (manifest: Manifest): Manifest => ({
  ...manifest,
  tables: manifest.tables.map((table) => ({ ...table, ...homeOf(table) })),
  sequences: [],
  materializedViews: [],
  schema: { isIncluded: false, reason: "they are of another system" },
});

/** What columns of tables count on from. Pure. */
function countersOf({ tables, sequences }: Manifest): readonly SequenceState[] {
  const counted = new Map(
    tables.flatMap(({ schema, name, neutral = [] }) => {
      const column = neutral.find(({ isCounted }) => isCounted);
      return column === undefined ? [] : [[name, { schema, name, column: column.name }] as const];
    }),
  );
  return sequences.flatMap(({ name, lastValue: last, isCalled: isGiven, of }) => {
    // on MariaDB and MySQL it has the name of its table
    const place = of ?? counted.get(name);
    return place === undefined ? [] : [{ ...place, last, isGiven }];
  });
}

/** So often they are made in one run, and so long after a loss. */
const KEY_TRIES = 5;
const KEY_PAUSE_MS = 200;

/**
 * Makes the keys until they are all on one primary: one that came meanwhile may have less of them.
 * @throws {BackupError} `TARGET_LOST` when it was lost again and again
 */
async function giveKeys(
  work: Parameters<typeof makeKeys>[0],
  keys: Keys,
  tables: readonly Table[],
): Promise<readonly string[]> {
  const { to, signal } = work;
  let cause: unknown;
  for (let tries = 0; tries < KEY_TRIES; tries += 1) {
    if (tries > 0) await sleep(KEY_PAUSE_MS, undefined, { signal });
    const { epoch } = to.topology();
    try {
      const left = await makeKeys(work, keys, tables);
      if (to.topology().epoch === epoch) return left;
    } catch (error) {
      signal.throwIfAborted();
      if (!isPassing(error) && !(error instanceof NoPrimaryError)) throw error;
      cause = error;
    }
  }
  const message = "the target was lost again and again while indexes were made; begin again to go on";
  throw new BackupError("TARGET_LOST", message, { cause, retryable: true });
}

/** Each of them ends a transaction on some systems, and is nothing where it was done. */
const makeTables = ({ target, signal }: Phase, texts: readonly string[]): Promise<void> =>
  target.repeatable("before", "making the tables", signal, async (connection) => {
    for (const text of texts) await connection.query(text, [], FOREVER);
  });

async function dropTables(base: TargetDialect, { target, plan, signal }: Phase): Promise<void> {
  await target.on(signal, async (on) => {
    for (const name of plan.names) await on.query(`DROP TABLE IF EXISTS ${name}`, [], FOREVER);
  });
  await base.unmark(target, undefined, signal);
}

const FOREVER = { timeoutMs: Number.POSITIVE_INFINITY } as const;
