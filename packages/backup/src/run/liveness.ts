import { hostname } from "node:os";
import { readWhole, type Store, writeWhole } from "../store/store.ts";

/** The first file of a backup and the last one to go: who works on it, and when he was last seen. */
export const ALIVE = "alive.json";

const BEAT_MS = 15_000;
/** A run that was not seen for this long is dead. */
const STALE_MS = 120_000;
const FAREWELL_MS = 5_000;

interface Sign {
  readonly host: string;
  readonly pid: number;
  readonly at: number;
}

/** Says again and again that this process works on the backup. @returns what ends it, once */
export async function beat(
  store: Store,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<() => Promise<void>> {
  const write = (at: number, until?: AbortSignal): Promise<void> => {
    const sign: Sign = { host: hostname(), pid: process.pid, at };
    return writeWhole(store, `${folder}/${ALIVE}`, Buffer.from(JSON.stringify(sign)), until);
  };
  await write(Date.now(), signal);
  let writing = Promise.resolve();
  const timer = setInterval(() => {
    writing = writing.then(() => write(Date.now(), signal)).catch(() => {}); // a store that fails is seen by the chunks
  }, BEAT_MS);
  timer.unref();
  let ending: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    clearInterval(timer);
    // also after an abort: another run may go on at once
    await writing.then(() => write(0, AbortSignal.timeout(FAREWELL_MS))).catch(() => {});
  };
  return () => {
    ending ??= end();
    return ending;
  };
}

/** Whether nobody works on it any more. */
export async function isDead(store: Store, folder: string, signal?: AbortSignal): Promise<boolean> {
  const content = await readWhole(store, `${folder}/${ALIVE}`, signal);
  if (content === undefined) return true;
  try {
    const { host, pid, at } = JSON.parse(content.toString("utf8")) as Sign;
    if (host === hostname() && pid !== process.pid && !isRunning(pid)) return true;
    return Math.abs(Date.now() - at) > STALE_MS;
  } catch {
    return true;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
