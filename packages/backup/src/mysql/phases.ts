import type { ReservedConnection } from "@mirrorpool/core";
import {
  askMysql as ask,
  type Dialect,
  numberOf,
  quoteMysqlName as quoteName,
  tellMysql as tell,
} from "@mirrorpool/sync/for-other-jobs";
import { BackupError, messageOf } from "../errors.ts";
import { chosenTables, type Phase, type RestorePlan, readText } from "../target/phases.ts";
import type { Target } from "../target/target.ts";
import { inParallel } from "../tasks.ts";
import { type Definition, fromScript } from "./definitions/script.ts";

/** What is to be made is there: table, index, routine, trigger, event. */
const IS_THERE: ReadonlySet<number> = new Set([1050, 1061, 1304, 1359, 1537]);

/** Of a definer who may not be named, or is not there. */
const DEFINER =
  /^(CREATE (?:OR REPLACE )?(?:ALGORITHM=\w+ )?)DEFINER=(?:`(?:[^`]|``)*`|'(?:[^']|'')*')(?:@(?:`(?:[^`]|``)*`|'(?:[^']|'')*'))? /;

/** Tables as they are to be for the rows to come: made, or those that are there, emptied. */
export async function prepare({ target, backup, plan, signal }: Phase): Promise<void> {
  const { schema } = backup.manifest;
  if (plan.withDefinitions && schema.isIncluded) {
    const definitions = fromScript(await readText(backup, schema.before, signal));
    await target.repeatable("before", "the definitions before the data", signal, async (connection) => {
      for (const definition of definitions) await make(connection, definition, plan);
      await restoreSettings(connection);
    });
    return;
  }
  await target.repeatable("before", "preparing the tables", signal, async (connection) => {
    if (plan.existing === "replace") await empty(connection, plan);
  });
}

async function empty(connection: ReservedConnection, { names }: RestorePlan): Promise<void> {
  for (const name of names) await tell(connection, `TRUNCATE TABLE ${name}`);
}

async function make(connection: ReservedConnection, { settings, text }: Definition, plan: RestorePlan): Promise<void> {
  await keepSettings(connection);
  await connection.query(settings);
  try {
    await tell(connection, plan.withOwners ? text : text.replace(DEFINER, "$1"));
  } catch (error) {
    if (!IS_THERE.has(numberOf(error) ?? 0)) throw error;
  }
}

const KEPT = ["sql_mode", "collation_connection", "time_zone"] as const;
const keepSettings = async (connection: ReservedConnection): Promise<void> => {
  const sets = KEPT.map((name) => `@mirrorpool_${name} = COALESCE(@mirrorpool_${name}, @@session.${name})`);
  await connection.query(`SET ${sets.join(", ")}`);
};
/** As they were before the first definition. */
async function restoreSettings(connection: ReservedConnection): Promise<void> {
  const sets = KEPT.map((name) => `${name} = COALESCE(@mirrorpool_${name}, @@session.${name})`);
  await connection.query(`SET SESSION ${sets.join(", ")}`);
}

/** What follows the rows: indexes and keys at the same time for different tables, then all else in its order. */
export async function finish(dialect: Dialect, phase: Phase): Promise<readonly string[]> {
  const { target, backup, plan, jobs, meter, signal } = phase;
  const { manifest } = backup;
  meter.enter("constraints");
  if (plan.withDefinitions && manifest.schema.isIncluded) {
    const definitions = fromScript(await readText(backup, manifest.schema.after, signal));
    const run = (definition: Definition, place: number, stop: AbortSignal | undefined): Promise<void> =>
      target.repeatable(`after ${place}`, firstLine(definition.text), stop, async (connection) => {
        await make(connection, definition, plan);
        await restoreSettings(connection);
      });
    const placed = definitions.map((definition, place): Placed => [place, definition]);
    const isIndex = ([, { text }]: Placed): boolean => ALTER.test(text);
    await inParallel(groupedByTable(placed.filter(isIndex)), jobs, signal, async (places, stop) => {
      for (const [place, definition] of places) await run(definition, place, stop);
    });
    const others = placed.filter((each) => !isIndex(each));
    await makeInOrder(others, (definition, place) => run(definition, place, signal));
  }
  await checkForeignKeys(dialect, phase);
  await setCounters(phase);
  await inParallel(chosenTables(manifest, plan), jobs, signal, async ({ name }, stop) => {
    await target.on(stop, async (on) => void (await ask(on, `ANALYZE TABLE ${quoteName(name)}`)));
  });
  return []; // what it cannot make is an error
}

type Placed = readonly [place: number, definition: Definition];

const ALTER = /^ALTER TABLE `((?:[^`]|``)*)` ADD /;

function groupedByTable(placed: readonly Placed[]): Iterable<readonly Placed[]> {
  const groups = new Map<string, Placed[]>();
  for (const each of placed) {
    const [, table = ""] = ALTER.exec(each[1].text) ?? [];
    groups.set(table, [...(groups.get(table) ?? []), each]);
  }
  return groups.values();
}

/** No such table or routine, or a view that is not valid: a view may be made of one that comes later. */
const NOT_YET: ReadonlySet<number> = new Set([1146, 1305, 1356]);

/** In an order in which each finds what it is made of. */
async function makeInOrder(
  definitions: readonly Placed[],
  run: (definition: Definition, place: number) => Promise<void>,
): Promise<void> {
  for (let left = definitions; left.length > 0; ) {
    const again: Placed[] = [];
    let failure: unknown;
    for (const [place, definition] of left) {
      try {
        await run(definition, place);
      } catch (error) {
        if (!(error instanceof BackupError) || !NOT_YET.has(numberOf(error.cause) ?? 0)) throw error;
        failure = error;
        again.push([place, definition]);
      }
    }
    if (again.length === left.length) throw failure;
    left = again;
  }
}

/** Rows came in without anybody looking for what they refer to. */
async function checkForeignKeys(dialect: Dialect, { target, backup, plan, jobs, signal }: Phase): Promise<void> {
  const chosen = new Set(chosenTables(backup.manifest, plan).map(({ name }) => name));
  const obstacles = await target.on(signal, async (on) => {
    const { tables } = await dialect.readCatalog(on, signal);
    return dialect.findObstacles(
      on,
      tables.filter(({ name }) => chosen.has(name)),
    );
  });
  await inParallel(obstacles, jobs, signal, async (obstacle, stop) => {
    try {
      await dialect.bringBack(target.pool, obstacle, stop);
    } catch (cause) {
      stop.throwIfAborted();
      throw new BackupError("REFUSED", `${obstacle.table}: ${obstacle.name}: ${messageOf(cause)}`, {
        cause,
        subject: obstacle.name,
      });
    }
  });
}

/** Tables and sequences count on from where they were. */
async function setCounters({ target, backup, plan, signal }: Phase): Promise<void> {
  const { manifest } = backup;
  const chosen = new Map(chosenTables(manifest, plan).map((table) => [table.name, table]));
  const tables = new Set(manifest.tables.map(({ name }) => name));
  await target.on(signal, async (on) => {
    for (const { name, lastValue, isCalled } of manifest.sequences) {
      const isCounted = chosen.get(name)?.neutral?.some((column) => column.isCounted) === true;
      const next = BigInt(lastValue) + (isCalled ? 1n : 0n);
      if (isCounted) await tell(on, `ALTER TABLE ${quoteName(name)} AUTO_INCREMENT = ${next}`);
      // a sequence of its own
      else if (!tables.has(name) && plan.withDefinitions)
        await ask(on, `SELECT SETVAL(${quoteName(name)}, ${next}, 0)`);
    }
  });
}

const firstLine = (text: string): string => (text.split("\n")[0] ?? "").slice(0, 100);

/** Tables that were there are empty again where they were; their keys and triggers have stayed. */
export async function giveUp(target: Target, plan: RestorePlan, signal: AbortSignal | undefined): Promise<void> {
  if (plan.withDefinitions || plan.existing === "append") return;
  await target.on(signal, (on) => empty(on, plan));
}
