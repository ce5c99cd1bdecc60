import { copyFile, readdir, readlink, symlink } from "node:fs/promises";
import { join } from "node:path";
import { codeOf } from "../errors.ts";
import { throwIfAborted } from "../wait.ts";
import type { Account } from "./account.ts";
import { give, makeFolder } from "./files.ts";

/** How a tree is copied. */
export interface CopyOptions {
  /** Who owns the copies. */
  readonly account: Account | undefined;
  /** Paths relative to the root, with `/`; a folder that is left out is left out with all that is in it. */
  readonly skip?: (path: string) => boolean;
  readonly signal?: AbortSignal | undefined;
}

const AT_ONCE = 16;

/**
 * Copies a directory that may be in use: files that vanish meanwhile are left out, as PostgreSQL's base backup allows.
 * The event loop stays free, so that proxies in this process go on forwarding.
 */
export async function copyTree(from: string, to: string, options: CopyOptions): Promise<void> {
  const files: string[] = [];
  const visit = async (path: string): Promise<void> => {
    await makeFolder(join(to, path), options.account);
    for (const entry of await readdir(join(from, path), { withFileTypes: true })) {
      const child = path === "" ? entry.name : `${path}/${entry.name}`;
      if (options.skip?.(child)) continue;
      if (entry.isDirectory()) await visit(child);
      else if (entry.isSymbolicLink()) await symlink(await readlink(join(from, child)), join(to, child));
      else files.push(child);
    }
  };
  await visit("");
  const copyNext = async (): Promise<void> => {
    for (let file = files.pop(); file !== undefined; file = files.pop()) {
      throwIfAborted(`the copy of ${from}`, options.signal);
      try {
        await copyFile(join(from, file), join(to, file));
      } catch (error) {
        if (codeOf(error) === "ENOENT") continue;
        throw error;
      }
      await give(join(to, file), options.account);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, copyNext));
}
