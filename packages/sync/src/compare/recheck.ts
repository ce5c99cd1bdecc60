import { setTimeout as sleep } from "node:timers/promises";
import type { FailoverPool } from "@mirrorpool/core";
import type { SideDialect } from "../dialect.ts";
import type { Bridge } from "../dialects.ts";
import { type Key, nameOf, WHOLE } from "../model.ts";
import type { Pair } from "../pair-tables.ts";
import { PATIENT, type Querier } from "../querier.ts";
import { differencesOf, type Suspect } from "./find-differences.ts";

/** Suspects that are asked for in one statement. */
const BATCH = 1000;

/**
 * Looks at suspects again: while the source moves and the target follows, a row may have been seen here after a change and there
 * before. What is the same pair of different rows twice is different; what is still another pair each time is moving.
 */
export async function recheck(
  sides: {
    readonly bridge: Bridge;
    readonly from: FailoverPool;
    readonly to: FailoverPool;
    readonly signal: AbortSignal;
  },
  pairs: readonly Pair[],
  suspects: readonly Suspect[],
  { rechecks, recheckMs }: { readonly rechecks: number; readonly recheckMs: number },
): Promise<{ readonly differences: readonly Suspect[]; readonly moving: readonly Suspect[] }> {
  if (rechecks === 0) return { differences: suspects, moving: [] };
  const differences: Suspect[] = [];
  let left = suspects;
  for (let round = 0; round < rechecks && left.length > 0; round += 1) {
    await sleep(recheckMs, undefined, { signal: sides.signal });
    const before = new Map(left.map((each) => [idOf(each), each]));
    const next: Suspect[] = [];
    for (const pair of pairs) {
      const keys = left.filter(({ table }) => table === nameOf(pair.source));
      for (let first = 0; first < keys.length; first += BATCH) {
        for (const now of await lookAgain(sides, pair, keys.slice(first, first + BATCH))) {
          const was = before.get(idOf(now));
          const isStill = was?.here === now.here && was?.there === now.there;
          (isStill ? differences : next).push(now);
        }
      }
    }
    left = next;
  }
  return { differences, moving: left };
}

const idOf = ({ table, key }: Suspect): string => JSON.stringify([table, key]);

async function lookAgain(
  { bridge, from, to, signal }: Parameters<typeof recheck>[0],
  { source, target }: Pair,
  suspects: readonly Suspect[],
): Promise<readonly Suspect[]> {
  const table = nameOf(source);
  const keys = suspects.flatMap(({ key }): Key[] => (key === null ? [] : [key]));
  const look = <T>(dialect: SideDialect, pool: FailoverPool, question: (on: Querier) => Promise<T>): Promise<T> =>
    pool.transaction(
      async (on) => {
        await dialect.prepareReader(on);
        return question(on);
      },
      { ...PATIENT, readOnly: true, signal },
    );
  if (keys.length > 0) {
    const [here, there] = await Promise.all([
      look(bridge.source, from, (on) => bridge.source.hashesOfKeys(on, source, keys, signal)),
      look(bridge.target, to, (on) => bridge.target.hashesOfKeys(on, target, keys, signal)),
    ]);
    return differencesOf(table, here, there);
  }
  const [here, there] = await Promise.all([
    look(bridge.source, from, (on) => bridge.source.checksum(on, source, WHOLE, signal)),
    look(bridge.target, to, (on) => bridge.target.checksum(on, target, WHOLE, signal)),
  ]);
  if (here.rows === there.rows && here.sum === there.sum) return [];
  const [first] = suspects as readonly [Suspect];
  return [{ ...first, here: `${here.rows}:${here.sum}`, there: `${there.rows}:${there.sum}` }];
}
