import { existsSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeOf } from "../errors.ts";
import { until, type WaitOptions } from "../wait.ts";
import { openHome } from "./home.ts";
import { isGone, ownName } from "./owner.ts";

const CACHE = "cache";
const PARTIAL = ".partial-";
const LOCK = ".lock-";
/** A download of 60 MB over a slow line. */
const TIMEOUT_MS = 300_000;

/**
 * The folder `name` of this user's cache, which outlives the labs; `make` fills it if it is not there yet.
 *
 * Safe when several processes want it at once: one of them makes it, the others wait. It gets its name only when it is
 * complete, so that what a killed process left unfinished is never taken for it, and is removed by the next one.
 */
export async function onceMade(
  name: string,
  make: (folder: string) => Promise<void>,
  wait: WaitOptions = {},
): Promise<string> {
  const bounds = { timeoutMs: TIMEOUT_MS, everyMs: 50, ...wait };
  const path = join(cacheFolder(), name);
  const lock = join(cacheFolder(), `${LOCK}${name}`);
  const isMine = await until(`${path} to be made`, () => (existsSync(path) ? "no" : tryLock(lock) && "yes"), bounds);
  if (isMine === "no") return path;
  try {
    // somebody may have finished it between the two looks
    if (existsSync(path)) return path;
    sweepPartials();
    const partial = join(cacheFolder(), `${PARTIAL}${ownName()}-${name}`);
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(partial, { mode: 0o755 });
    try {
      await make(partial);
      renameSync(partial, path);
    } finally {
      rmSync(partial, { recursive: true, force: true });
    }
    return path;
  } finally {
    rmSync(lock, { force: true });
  }
}

/** On disk and not in memory: a server unpacked is a few hundred MB. */
function cacheFolder(): string {
  for (;;) {
    const path = join(openHome(tmpdir()), CACHE);
    try {
      mkdirSync(path, { recursive: true, mode: 0o755 });
      return path;
    } catch (error) {
      // a lab that ended has just taken the empty home with it
      if (codeOf(error) !== "ENOENT") throw error;
    }
  }
}

/** The lock is a symbolic link to its owner's name: made and filled in one step, and readable when its owner is gone. */
function tryLock(lock: string): boolean {
  try {
    symlinkSync(ownName(), lock);
    return true;
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
  try {
    if (isGone(readlinkSync(lock))) unlinkSync(lock);
  } catch (error) {
    // released meanwhile
    if (codeOf(error) !== "ENOENT") throw error;
  }
  return false;
}

function sweepPartials(): void {
  const folder = cacheFolder();
  for (const entry of readdirSync(folder)) {
    if (!entry.startsWith(PARTIAL) || !isGone(entry.slice(PARTIAL.length))) continue;
    rmSync(join(folder, entry), { recursive: true, force: true });
  }
}
