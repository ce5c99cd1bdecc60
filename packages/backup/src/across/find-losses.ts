import { nameOf } from "@mirrorpool/sync/for-other-jobs";
import { readFile } from "../format/file.ts";
import type { BackedUpTable } from "../format/manifest.ts";
import type { OpenedBackup } from "../format/repository.ts";
import { inParallel } from "../tasks.ts";
import { isLost, unescaped } from "./is-lost.ts";
import type { PlacedPair } from "./pairs.ts";
import type { Refusal } from "./refusals.ts";
import { ValueWatcher } from "./value-watcher.ts";

/** Most of a value that is shown. */
const SHOWN = 60;

/**
 * Values of a backup that another system cannot hold as they are, one for each column and rule. Reads the chunks of the tables that may
 * have some, and no others.
 */
export async function findLosses(
  { manifest, format }: OpenedBackup,
  pairs: ReadonlyMap<number, PlacedPair>,
  jobs: number,
  signal: AbortSignal | undefined,
): Promise<readonly Refusal[]> {
  const refusals = new Map<string, Refusal>();
  const risky = manifest.chunks.filter(({ table }) => (pairs.get(table)?.losses.length ?? 0) > 0);
  await inParallel(risky, jobs, signal, async (chunk, stop) => {
    const pair = pairs.get(chunk.table) as PlacedPair; // chosen by it
    const table = manifest.tables[chunk.table] as BackedUpTable; // one for each chunk
    const watched = table.columns.map((name, place) => {
      const losses = pair.losses.filter(({ column }) => column === name);
      if (losses.length === 0) return undefined;
      const kind = table.neutral?.[place]?.neutral.kind ?? "own";
      return (text: string): void => {
        for (const loss of losses) {
          const key = JSON.stringify([chunk.table, name, loss.rule]);
          if (refusals.has(key) || !isLost(loss, kind, text)) continue;
          const value = JSON.stringify(unescaped(text.slice(0, 2 * SHOWN)).slice(0, SHOWN));
          refusals.set(key, {
            table: nameOf(table),
            column: name,
            reason: `it has the value ${value}: ${loss.reason}`,
          });
        }
      };
    });
    await readFile(format, chunk, new ValueWatcher(watched), stop);
  });
  return [...refusals.values()];
}
