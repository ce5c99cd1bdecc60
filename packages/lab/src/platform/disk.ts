import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { type FileHandle, open, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { codeOf, LabError } from "../errors.ts";
import type { Account } from "./account.ts";

/** The name of the file that takes all room. */
export const FILLER = "mirrorpool-lab-filler";
const CHUNK = Buffer.alloc(1024 * 1024);
/** The smallest unit that tmpfs hands out. */
const PAGE_BYTES = 4096;

/**
 * Mounts an empty file system of `bytes` at `path`. It is unmounted with the run.
 * @throws LabError `not-possible-here` without root or the right to mount, or not on Linux
 */
export function mountDisk(path: string, bytes: number, account: Account | undefined): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const owner = account ? `,uid=${account.uid},gid=${account.gid}` : "";
  const done = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${bytes},mode=0700${owner}`, "tmpfs", path], {
    encoding: "utf8",
  });
  if (process.platform === "linux" && done.status === 0) return;
  throw new LabError(
    "not-possible-here",
    `diskBytes needs Linux, root and the right to mount a tmpfs: ${done.stderr?.trim() || String(done.error)}`,
  );
}

/** Fills the file system of `directory` to its last page. */
export async function fillDisk(directory: string): Promise<void> {
  const file = await open(join(directory, FILLER), "w");
  try {
    while (await writeAll(file, CHUNK)) {}
    while (await writeAll(file, CHUNK.subarray(0, PAGE_BYTES))) {}
  } finally {
    await file.close();
  }
  const { bfree } = await statfs(directory);
  if (bfree > 0) throw new LabError("not-possible-here", `${directory} could not be filled: ${bfree} blocks are left`);
}

/** Gives back what {@link fillDisk} took. */
export async function freeDisk(directory: string): Promise<void> {
  await rm(join(directory, FILLER), { force: true });
}

async function writeAll(file: FileHandle, data: Buffer): Promise<boolean> {
  try {
    const { bytesWritten } = await file.write(data);
    return bytesWritten === data.length;
  } catch (error) {
    if (codeOf(error) === "ENOSPC") return false;
    throw error;
  }
}
