import { accessSync, constants, lstatSync, mkdirSync, realpathSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeOf, LabError } from "../errors.ts";

const RAM_DISK = "/dev/shm";
/** Three nodes with their WAL stay far below this. */
const ROOM_BYTES = 1024 ** 3;

/**
 * The folder under which this user's labs live: `mirrorpool-lab-UID` in `parent`, by default in /dev/shm when that has
 * 1 GiB to spare, else in the system's temporary folder. Made if missing.
 * @throws LabError `not-possible-here` when the folder belongs to somebody else
 */
export function openHome(parent: string = defaultParent()): string {
  mkdirSync(parent, { recursive: true });
  const home = join(realpathSync(parent), homeName());
  try {
    mkdirSync(home, { mode: 0o755 });
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
  const stat = lstatSync(home);
  // in a folder that all can write to, somebody may have been here before us
  if (!stat.isDirectory() || stat.uid !== process.getuid?.()) {
    throw new LabError(
      "not-possible-here",
      `${home} exists and is not a folder of this user: remove it, or set dataDir`,
    );
  }
  return home;
}

/** All folders that {@link openHome} may have made without a `parent`: for sweeping. */
export function defaultHomes(): readonly string[] {
  return [...new Set([RAM_DISK, tmpdir()])].map((parent) => join(parent, homeName()));
}

function defaultParent(): string {
  try {
    accessSync(RAM_DISK, constants.W_OK);
    const { bavail, bsize } = statfsSync(RAM_DISK);
    if (bavail * bsize >= ROOM_BYTES) return RAM_DISK;
  } catch {
    // no such thing here, as on macOS
  }
  return tmpdir();
}

function homeName(): string {
  return `mirrorpool-lab-${process.getuid?.() ?? 0}`;
}
