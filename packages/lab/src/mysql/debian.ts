import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { LabError } from "../errors.ts";
import { PROGRAM_ENV } from "../platform/program.ts";

const run = promisify(execFile);
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const SOURCES = "/etc/apt";
const TIMEOUT_MS = 240_000;

/** What is to be unpacked. */
export interface DebianPackages {
  /** As in `sid`; default: that of this machine. */
  readonly suite?: string;
  readonly names: readonly string[];
  /** Packages that only install scripts need. */
  readonly leftOut?: RegExp;
}

/**
 * Unpacks Debian packages, with all that they need, into `folder`: nothing is installed, and root is not needed. apt
 * works out what is needed against an empty machine, and checks signatures as ever.
 * @throws LabError `not-possible-here` when this is no Debian, or its mirror does not answer
 */
export async function unpackDebian(folder: string, packages: DebianPackages, signal?: AbortSignal): Promise<void> {
  const { names } = packages;
  const what = `fetching ${names.join(", ")} from Debian`;
  const apt = join(folder, "apt");
  try {
    const env = { ...PROGRAM_ENV, ...proxies(), APT_CONFIG: join(apt, "apt.conf") };
    const options = { env, timeout: TIMEOUT_MS, maxBuffer: 2 ** 24, ...(signal && { signal }) };
    const { stdout } = await run("dpkg", ["--print-architecture"], options);
    configure(apt, packages.suite ?? ownSuite(), stdout.trim());
    await run("apt-get", ["update", "-qq"], options);
    const plan = await run("apt-get", ["install", "--print-uris", "-qq", ...names], options);
    const debs = join(apt, "debs");
    await run("apt-get", ["download", "-qq", ...packageNames(plan.stdout, packages.leftOut)], {
      ...options,
      cwd: debs,
    });
    for (const file of readdirSync(debs)) await run("dpkg-deb", ["-x", join(debs, file), folder], options);
    // what was read-only or private to its owner
    await run("chmod", ["-R", "u+w,a+rX", folder], options);
  } catch (cause) {
    if (signal?.aborted) throw new LabError("aborted", `aborted while ${what}`, { cause });
    if (cause instanceof LabError) throw cause;
    const reason = cause instanceof Error ? cause.message.trim().split("\n").slice(0, 4).join("; ") : String(cause);
    throw new LabError("not-possible-here", `${what} failed: ${reason}`, { cause });
  } finally {
    rmSync(apt, { recursive: true, force: true });
  }
}

/** Folders and a configuration of our own, so that the machine's stay as they are. */
function configure(apt: string, suite: string, architecture: string): void {
  for (const folder of ["lists/partial", "cache/archives/partial", "debs"])
    mkdirSync(join(apt, folder), { recursive: true });
  writeFileSync(join(apt, "status"), "");
  writeFileSync(
    join(apt, "sources.list"),
    `deb [signed-by=${KEYRING} arch=${architecture}] ${mirror()} ${suite} main\n`,
  );
  const settings = {
    "Dir::Etc::sourcelist": join(apt, "sources.list"),
    "Dir::Etc::sourceparts": "-",
    "Dir::State::lists": join(apt, "lists"),
    "Dir::State::status": join(apt, "status"),
    "Dir::Cache": join(apt, "cache"),
    "Dir::Cache::archives": join(apt, "cache", "archives"),
    "APT::Architecture": architecture,
    "APT::Architectures": architecture,
    "APT::Install-Recommends": "false",
    "APT::Sandbox::User": "root",
    "Acquire::Languages": "none",
    "Acquire::Retries": "3",
    "Debug::NoLocking": "true",
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`);
  writeFileSync(join(apt, "apt.conf"), lines.join(""));
}

/** The names in apt's list of addresses: `'http://…/name_version_architecture.deb' …`. */
function packageNames(uris: string, leftOut: RegExp | undefined): readonly string[] {
  const names = [...uris.matchAll(/^'[^']*\/([^/_']+)_[^/']*'/gm)].map(([, name = ""]) => decodeURIComponent(name));
  return [...new Set(names)].filter((name) => !leftOut?.test(name));
}

function ownSuite(): string {
  const text = readIfThere("/etc/os-release");
  const [, id] = /^ID=(\w+)/m.exec(text) ?? [];
  const [, suite] = /^VERSION_CODENAME=(\w+)/m.exec(text) ?? [];
  if (id === "debian" && suite !== undefined) return suite;
  throw new LabError("not-possible-here", "this machine is no Debian, whose packages could be fetched");
}

/** The mirror that this machine uses. */
function mirror(): string {
  const files = [join(SOURCES, "sources.list"), ...sourceParts()];
  const found = files
    .flatMap((file) => readIfThere(file).split("\n"))
    .filter((line) => /^(URIs:|deb )/.test(line))
    .flatMap((line) => line.match(/https?:\/\/\S+\/debian\/?(?=\s|$)/g) ?? []);
  if (found[0] !== undefined) return found[0];
  throw new LabError("not-possible-here", `no Debian mirror is named in ${SOURCES}`);
}

function sourceParts(): readonly string[] {
  try {
    const folder = join(SOURCES, "sources.list.d");
    return readdirSync(folder).map((file) => join(folder, file));
  } catch {
    return [];
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function proxies(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => /^https?_proxy$/i.test(name)));
}
