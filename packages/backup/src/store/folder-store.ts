import { randomBytes } from "node:crypto";
import { createReadStream, type Dirent } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import type { Readable } from "node:stream";
import { BackupError, messageOf } from "../errors.ts";
import { sharedSync } from "./shared-sync.ts";
import type { Store, StoredObject } from "./store.ts";

/** What is being written; a reader never sees it. */
const TEMPORARY = /\.[0-9a-f]{12}\.tmp$/;

/** A folder of this machine, or one that is mounted. */
export function folderStore(path: string): Store {
  const root = resolve(path);
  const syncFolder = sharedSync();
  const fail = (what: string, cause: unknown): BackupError =>
    new BackupError("STORE_FAILED", `${what} in ${root}: ${messageOf(cause)}`, { cause });
  return {
    description: root,
    async list(prefix) {
      const found: StoredObject[] = [];
      try {
        for await (const file of walk(root)) {
          const name = relative(root, file).split(sep).join("/");
          if (!name.startsWith(prefix) || TEMPORARY.test(name)) continue;
          const size = await stat(file).catch(ignoreMissing);
          if (size !== undefined) found.push({ name, bytes: size.size });
        }
      } catch (cause) {
        throw fail("cannot list the files", cause);
      }
      return found;
    },
    async read(name, signal): Promise<Readable | undefined> {
      try {
        const handle = await open(join(root, name)).catch(ignoreMissing);
        if (handle === undefined) return undefined;
        return createReadStream("", { fd: handle, highWaterMark: 1 << 18, ...(signal && { signal }) });
      } catch (cause) {
        throw fail(`cannot read ${name}`, cause);
      }
    },
    async write(name, content, signal, onWritten) {
      const path = join(root, name);
      const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
      try {
        const handle = await openNew(temporary);
        try {
          for await (const part of content) {
            signal?.throwIfAborted();
            for (let at = 0; at < part.length; ) at += (await handle.write(part, at)).bytesWritten;
            onWritten?.(part);
          }
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(temporary, path);
        // a rename is durable only once its folder is
        await syncFolder(dirname(path));
      } catch (cause) {
        await rm(temporary, { force: true });
        throw isOfTheDisk(cause) ? fail(`cannot write ${name}`, cause) : cause;
      }
    },
    async remove(name) {
      const path = join(root, name);
      try {
        await rm(path, { force: true });
        // with its last file a backup's folder goes as well
        for (let folder = dirname(path); folder !== root && folder.startsWith(root); folder = dirname(folder)) {
          await removeTemporaries(folder);
          await rmdir(folder);
        }
      } catch (cause) {
        const code = codeOf(cause);
        if (code !== "ENOTEMPTY" && code !== "EEXIST" && code !== "ENOENT") throw fail(`cannot remove ${name}`, cause);
      }
    },
  };
}

/** Of writers that were killed: only where nothing else is left, since another one may be at it. */
async function removeTemporaries(folder: string): Promise<void> {
  if (!(await hasOnlyTemporaries(folder))) return;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) await rm(path, { force: true });
    else {
      await removeTemporaries(path);
      await rmdir(path);
    }
  }
}

/** Also in the folders that are in it: one of them may have been begun, and no file of it finished. */
async function hasOnlyTemporaries(folder: string): Promise<boolean> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const isNone = entry.isDirectory()
      ? await hasOnlyTemporaries(join(folder, entry.name))
      : TEMPORARY.test(entry.name);
    if (!isNone) return false;
  }
  return true;
}

async function* walk(folder: string): AsyncGenerator<string> {
  const entries: Dirent[] = (await readdir(folder, { withFileTypes: true }).catch(ignoreMissing)) ?? [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else if (entry.isFile()) yield path;
  }
}

/** The folder is there but for the first of its files. */
async function openNew(path: string): Promise<FileHandle> {
  const create = (): Promise<FileHandle> => open(path, "wx", 0o600);
  const handle = await create().catch(ignoreMissing);
  if (handle !== undefined) return handle;
  await mkdir(dirname(path), { recursive: true });
  return create();
}

function ignoreMissing(error: unknown): undefined {
  if (codeOf(error) === "ENOENT") return undefined;
  throw error;
}

const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException | undefined)?.code;

const isOfTheDisk = (error: unknown): boolean =>
  error instanceof Error && "syscall" in error && typeof (error as NodeJS.ErrnoException).errno === "number";
