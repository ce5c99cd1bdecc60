import type { KeySource } from "./format/key.ts";
import type { Manifest } from "./format/manifest.ts";
import { finishedBackups, openBackup } from "./format/repository.ts";
import { checkKeySource, checkStore } from "./options.ts";
import type { Store } from "./store/store.ts";

/** A finished backup in a list. */
export interface ListedBackup {
  readonly name: string;
  /** Undefined where the key does not open it, or it is damaged: `problem` says which. */
  readonly manifest: Manifest | undefined;
  readonly problem: string | undefined;
}

/** The finished backups of a store, oldest first. Their chunks are not looked at. */
export async function listBackups(from: string | Store, encryption?: KeySource): Promise<readonly ListedBackup[]> {
  const store = checkStore("from", from);
  const keySource = checkKeySource(encryption);
  const listed: ListedBackup[] = [];
  for (const name of await finishedBackups(store)) {
    try {
      const { manifest } = await openBackup(store, name, keySource);
      listed.push({ name, manifest, problem: undefined });
    } catch (error) {
      listed.push({ name, manifest: undefined, problem: error instanceof Error ? error.message : String(error) });
    }
  }
  return listed;
}
