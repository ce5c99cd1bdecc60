import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { codeOf } from "../errors.ts";
import { onProcessEnd } from "./cleanup.ts";
import { defaultHomes, openHome } from "./home.ts";
import { isGone, ownName } from "./owner.ts";
import { type ClaimedPort, claimPort, sweepClaims } from "./ports.ts";
import { killUnder } from "./processes.ts";
import { startWatchdog } from "./watchdog.ts";

/** The place of one cluster: everything it starts works inside, and everything ends with it. */
export interface Run {
  /** An absolute real path. */
  readonly path: string;
  /** A port that is released with the run. */
  claimPort(): Promise<number>;
  /** Kills every server in it and removes the folder, its mounts, shared memory and port claims. Idempotent. */
  remove(): void;
}

const RUN_PREFIX = "run-";

/**
 * Opens a new run under `parent` (see {@link openHome}) after sweeping what dead processes left there.
 * The run is removed by `remove`, at the end of this process, by the watchdog, or by the next sweep: whichever is first.
 */
export function openRun(parent?: string): Run {
  const { home, path } = makeRun(parent);
  sweepHome(home);
  const claims: ClaimedPort[] = [];
  const watchdog = startWatchdog(path);
  const forget = onProcessEnd(() => run.remove());
  let isRemoved = false;
  const run: Run = {
    path,
    async claimPort() {
      const claim = await claimPort();
      claims.push(claim);
      // removed meanwhile: nobody else would release it
      if (isRemoved) claim.release();
      return claim.port;
    },
    remove() {
      if (isRemoved) return;
      removeRun(path);
      for (const claim of claims) claim.release();
      removeIfEmpty(home);
      isRemoved = true;
      forget();
      watchdog.dismiss();
    },
  };
  return run;
}

function makeRun(parent: string | undefined): { home: string; path: string } {
  for (;;) {
    const home = openHome(parent);
    const path = join(home, `${RUN_PREFIX}${ownName()}-${randomUUID().slice(0, 8)}`);
    try {
      mkdirSync(path, { mode: 0o755 });
      return { home, path };
    } catch (error) {
      // another process has just ended and taken the empty home with it
      if (codeOf(error) !== "ENOENT") throw error;
    }
  }
}

/**
 * Removes what labs of this user left behind whose process was killed: servers, folders, mounts, shared memory and port
 * claims. Labs of living processes are left alone. @returns the folders removed
 */
export function sweep(parent?: string): readonly string[] {
  return (parent === undefined ? defaultHomes() : [openHome(parent)]).flatMap(sweepHome);
}

function sweepHome(home: string): readonly string[] {
  sweepClaims();
  const left = entries(home).filter((name) => name.startsWith(RUN_PREFIX) && isGone(name.slice(RUN_PREFIX.length)));
  for (const name of left) removeRun(join(home, name));
  removeIfEmpty(home);
  return left.map((name) => join(home, name));
}

function removeIfEmpty(home: string): void {
  try {
    rmdirSync(home);
  } catch (error) {
    // in use, or gone already
    if (codeOf(error) !== "ENOTEMPTY" && codeOf(error) !== "EEXIST" && codeOf(error) !== "ENOENT") throw error;
  }
}

/** Also safe when two processes do it at once. */
function removeRun(path: string): void {
  killUnder(path);
  removeSharedMemory(path);
  unmountUnder(path);
  // the first pass may meet a folder that another sweeper is emptying
  rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 10 });
}

/**
 * Removes the System V segments that killed postmasters left. PostgreSQL makes one of 56 bytes per server, as its
 * interlock, and writes its id to line 7 of postmaster.pid.
 */
export function removeSharedMemory(path: string): void {
  const ids = [path, ...entries(path).map((name) => join(path, name))].flatMap((directory) => {
    try {
      const [, id] = (readFileSync(join(directory, "postmaster.pid"), "utf8").split("\n")[6] ?? "").trim().split(/\s+/);
      return id === undefined ? [] : ["-m", id];
    } catch {
      return [];
    }
  });
  if (ids.length > 0) spawnSync("ipcrm", ids, { stdio: "ignore" });
}

function unmountUnder(path: string): void {
  if (process.platform !== "linux") return;
  const mounted = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .flatMap((line) => line.split(" ")[1] ?? [])
    .filter((point) => point.startsWith(`${path}/`));
  if (mounted.length > 0) spawnSync("umount", ["--lazy", ...mounted], { stdio: "ignore" });
}

function entries(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return [];
    throw error;
  }
}
