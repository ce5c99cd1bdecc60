import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { join } from "node:path";
import type { Installation } from "../cluster/options.ts";
import { codeOf, LabError } from "../errors.ts";
import { onceMade } from "../platform/once.ts";
import { PROGRAM_ENV } from "../platform/program.ts";
import { type DebianPackages, unpackDebian } from "./debian.ts";

/** Which programs are wanted. */
export interface Wanted {
  /** As in `"MariaDB"`. */
  readonly title: string;
  /** The server's name. */
  readonly program: string;
  /** What its answer to `--version` has to match. */
  readonly versions: RegExp;
  /** The same, for people. */
  readonly least: string;
  readonly debian: DebianPackages;
}

/** A usable server program. */
export interface Programs {
  readonly command: string;
  /** The arguments it always needs, before all others. */
  readonly prefix: readonly string[];
  /** Those that may come after an option file, which must be the first. */
  readonly places: readonly string[];
  /** Where its SQL scripts are. */
  readonly share: string;
  /** Where Galera's library may be. */
  readonly libraries: readonly string[];
  /** As in `10.11.18`. */
  readonly version: string;
}

const LOADERS: Readonly<Record<string, readonly [folder: string, loader: string]>> = {
  x64: ["x86_64-linux-gnu", "ld-linux-x86-64.so.2"],
  arm64: ["aarch64-linux-gnu", "ld-linux-aarch64.so.1"],
};

/**
 * Finds the server: the one installed here, or else Debian's, fetched once and kept in the cache.
 * @param system only the one or the other, or the one in a folder
 * @throws LabError `not-possible-here` when there is none
 */
export async function findPrograms(
  wanted: Wanted,
  system: Installation | undefined,
  signal: AbortSignal,
): Promise<Programs> {
  if (typeof system === "object") return inFolder(wanted, system.bin);
  const installed = system === "embedded" ? undefined : findInstalled(wanted);
  if (installed) return installed;
  if (system !== "system") return fetched(wanted, signal);
  throw new LabError("not-possible-here", `no ${wanted.title} ${wanted.least} is installed on this machine`);
}

function findInstalled(wanted: Wanted): Programs | undefined {
  const { PATH = "" } = process.env;
  for (const folder of new Set(["/usr/sbin", "/usr/local/sbin", ...PATH.split(":")])) {
    if (folder === "" || !existsSync(join(folder, wanted.program))) continue;
    try {
      return inFolder(wanted, folder);
    } catch (error) {
      // another product by the same name, as MariaDB's mysqld, or too old
      if (codeOf(error) !== "not-possible-here") throw error;
    }
  }
  return undefined;
}

function inFolder(wanted: Wanted, folder: string): Programs {
  const command = join(folder, wanted.program);
  const version = versionOf(wanted, command, []);
  const shares = [join(folder, "..", "share", "mysql"), join(folder, "..", "share"), "/usr/share/mysql"];
  const share = shares.find((path) => existsSync(join(path, "english"))) ?? "/usr/share/mysql";
  return { command, prefix: [], places: [], share, libraries: ["/usr/lib/galera", "/usr/lib"], version };
}

async function fetched(wanted: Wanted, signal: AbortSignal): Promise<Programs> {
  const [triplet, loader] = (process.platform === "linux" ? LOADERS[process.arch] : undefined) ?? [];
  if (triplet === undefined || loader === undefined) {
    throw new LabError(
      "not-possible-here",
      `no ${wanted.title} ${wanted.least} is installed, and none can be fetched for ${process.platform} on ${process.arch}`,
    );
  }
  const name = `${wanted.program}-${wanted.debian.suite ?? "own-suite"}-${process.arch}`;
  const root = await onceMade(name, (folder) => unpackDebian(folder, wanted.debian, signal), { signal });
  const usr = join(root, "usr");
  const libraries = [join(root, "lib", triplet), join(usr, "lib", triplet), join(usr, "lib")].filter((path) =>
    existsSync(path),
  );
  // with the loader and the libraries it was built with: those of this machine may be older
  const command = libraries.map((path) => join(path, loader)).find((path) => existsSync(path)) ?? loader;
  const prefix = ["--library-path", libraries.join(":"), join(usr, "sbin", wanted.program)];
  const share = join(usr, "share", "mysql");
  return {
    command,
    prefix,
    places: [
      `--basedir=${usr}`,
      `--lc-messages-dir=${share}`,
      `--character-sets-dir=${join(share, "charsets")}`,
      `--plugin-dir=${join(usr, "lib", "mysql", "plugin")}`,
    ],
    share,
    libraries,
    version: versionOf(wanted, command, prefix),
  };
}

/** @throws LabError `not-possible-here` when it does not run, or is not what is wanted */
function versionOf({ title, versions, least }: Wanted, command: string, prefix: readonly string[]): string {
  let answer: string;
  try {
    accessSync(command, constants.X_OK);
    answer = execFileSync(command, [...prefix, "--no-defaults", "--version"], {
      encoding: "utf8",
      env: PROGRAM_ENV,
      stdio: ["ignore", "pipe", "pipe"],
    });
  } catch (cause) {
    throw new LabError("not-possible-here", `${command} does not run on this machine: ${String(cause)}`, { cause });
  }
  if (versions.test(answer)) return /\d+\.\d+\.\d+/.exec(answer)?.[0] ?? "unknown";
  throw new LabError("not-possible-here", `${command} is "${answer.trim()}": ${title} ${least} needed`);
}
