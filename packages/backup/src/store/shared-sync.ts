import { open } from "node:fs/promises";

/** Writes a folder's entries through to the disk. */
export type SyncFolder = (folder: string) => Promise<void>;

/** One sync does for all that wait for it. Who comes while one is running waits for the next: his own entry may have missed that. */
export function sharedSync(): SyncFolder {
  const running = new Map<string, Promise<void>>();
  const next = new Map<string, Promise<void>>();
  const begin = (folder: string): Promise<void> => {
    next.delete(folder);
    const sync = syncFolder(folder).finally(() => {
      if (running.get(folder) === sync) running.delete(folder);
    });
    running.set(folder, sync);
    return sync;
  };
  return (folder) => {
    const now = running.get(folder);
    if (now === undefined) return begin(folder);
    const again = (): Promise<void> => begin(folder);
    const waiting = next.get(folder) ?? now.then(again, again);
    next.set(folder, waiting);
    return waiting;
  };
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
