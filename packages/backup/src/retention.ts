import { OptionsError } from "@mirrorpool/core";
import type { KeySource } from "./format/key.ts";
import { finishedBackups, openBackup } from "./format/repository.ts";
import { checkInteger, checkOptions, isObject } from "./options.ts";
import { removeFolder, uselessFolders } from "./run/unfinished.ts";
import type { Store } from "./store/store.ts";

/** Which backups are kept: those that are younger, and the newest ones in any case. At least one of the two. */
export interface Keep {
  /** 1 to 36500. */
  readonly days?: number;
  /** 1 to 100000. */
  readonly count?: number;
}

/** What retention looks at. */
export interface Dated {
  readonly name: string;
  readonly finishedAt: string;
}

const DAY_MS = 86_400_000;

/** The backups to remove. The newest one stays whatever the rule says. Pure. */
export function outdated(backups: readonly Dated[], { days, count }: Keep, now: number): readonly string[] {
  const newestFirst = [...backups].sort((one, other) => Date.parse(other.finishedAt) - Date.parse(one.finishedAt));
  return newestFirst
    .filter(({ finishedAt }, index) => {
      const isYoung = days !== undefined && now - Date.parse(finishedAt) < days * DAY_MS;
      return index > 0 && !isYoung && !(count !== undefined && index < count);
    })
    .map(({ name }) => name);
}

export function checkKeep(value: unknown): Keep | undefined {
  if (value === undefined) return undefined;
  if (!isObject(value)) throw new OptionsError("keep", "{ days, count }", `a ${typeof value}`);
  checkOptions(value, ["days", "count"]);
  if (value["days"] === undefined && value["count"] === undefined)
    throw new OptionsError("keep", "days, count or both", "none of them");
  return {
    ...(value["days"] !== undefined && { days: checkInteger("keep.days", value["days"], 1, 36_500, 1) }),
    ...(value["count"] !== undefined && { count: checkInteger("keep.count", value["count"], 1, 100_000, 1) }),
  };
}

/**
 * Removes outdated backups of one database, and what killed runs and removals have left behind. What cannot be opened with the key
 * stays.
 * @returns the names of what was removed
 */
export async function prune(
  store: Store,
  of: { readonly systemId: string; readonly database: string },
  keep: Keep,
  keySource: KeySource | undefined,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const backups: Dated[] = [];
  for (const name of await finishedBackups(store, signal)) {
    const { manifest } = (await openBackup(store, name, keySource, signal).catch(() => undefined)) ?? {};
    const isOfIt = manifest?.source.systemId === of.systemId && manifest.source.database === of.database;
    if (manifest !== undefined && isOfIt) backups.push({ name, finishedAt: manifest.finishedAt });
  }
  const names = [...outdated(backups, keep, Date.now()), ...(await uselessFolders(store, of, keySource, signal))];
  for (const name of names) await removeFolder(store, name, signal);
  return names;
}
