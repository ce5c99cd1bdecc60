import type { ReservedConnection } from "@mirrorpool/core";
import { askMysql as ask, tellMysql as tell } from "@mirrorpool/sync/for-other-jobs";
import type { Mark } from "../dialect.ts";
import { TakenBackError } from "../errors.ts";
import type { Target } from "../target/target.ts";
import { MARK, STEPS } from "./mark-name.ts";
import { readSteps } from "./steps.ts";

type Signal = AbortSignal | undefined;

const HOW = "ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin";
const NOTE =
  "A restore is under way, or was not finished: the database is not complete. Run it again, or drop this table";

async function isThere(on: ReservedConnection, name: string): Promise<boolean> {
  const text = "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?";
  return (await ask(on, text, [name])).length > 0;
}

async function find(on: ReservedConnection): Promise<Mark | undefined> {
  if (!(await isThere(on, MARK))) return undefined;
  const [row] = await ask<{ backup: string; name: string; plan: string }>(on, `SELECT backup, name, plan FROM ${MARK}`);
  return row;
}

/** The restore that the target is marked with. */
export const readMark = (target: Target, signal: Signal): Promise<Mark | undefined> => target.on(signal, find);

export const mark = (target: Target, { backup, name, plan }: Mark, signal: Signal): Promise<void> =>
  target.on(signal, async (on) => {
    // a statement whose answer was lost may have been the last one
    if ((await find(on)) !== undefined) return;
    // what another restore had done, and could not remove
    await tell(on, `DROP TABLE IF EXISTS ${STEPS}`);
    await tell(on, `CREATE TABLE ${STEPS} (name varchar(400) NOT NULL PRIMARY KEY) ${HOW}`);
    await tell(
      on,
      `CREATE TABLE IF NOT EXISTS ${MARK} (only_one tinyint NOT NULL PRIMARY KEY, backup varchar(100) NOT NULL, name varchar(200) NOT NULL, plan longtext NOT NULL,
        started_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP) ${HOW} COMMENT = '${NOTE}'`,
    );
    await tell(on, `INSERT INTO ${MARK} (only_one, backup, name, plan) VALUES (1, ?, ?, ?)`, [backup, name, plan]);
  });

/** The restore is complete. The mark goes first: steps without it mean nothing. @throws {TakenBackError} */
export function unmark(target: Target, steps: number | undefined, signal: Signal): Promise<void> {
  let mayBeGone = steps === undefined;
  return target.on(signal, async (on) => {
    const isMarked = await isThere(on, MARK);
    if (!isMarked && !mayBeGone) throw new TakenBackError("the mark");
    if (isMarked && steps !== undefined && (await readSteps(on)).size < steps)
      throw new TakenBackError("steps that had been done");
    mayBeGone = true; // a DROP whose answer is lost may be one
    await tell(on, `DROP TABLE IF EXISTS ${MARK}`);
    await tell(on, `DROP TABLE IF EXISTS ${STEPS}`);
  });
}

export const stepsDone = (target: Target, signal: Signal): Promise<ReadonlySet<string>> =>
  target.on(signal, async (on) => ((await isThere(on, STEPS)) ? readSteps(on) : new Set<string>()));

/** A unit that comes late must not write into what another restore has begun since. */
export async function isOfRestore(on: ReservedConnection, backup: string): Promise<boolean> {
  return (await ask(on, `SELECT 1 FROM ${MARK} WHERE backup = ?`, [backup])).length > 0;
}
