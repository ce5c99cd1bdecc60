import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { codeOf, LabError } from "../errors.ts";
import { sleepSync } from "../wait.ts";

/** A running database process. */
interface ServerProcess {
  readonly pid: number;
  readonly isStopped: boolean;
}

/** Their names as the kernel has them: 15 characters, and the loader's for a program that is started by it. */
const PROGRAMS: ReadonlySet<string> = new Set([
  ...["postgres", "initdb", "mariadbd", "mysqld", "wsrep_sst_lab"],
  ...["ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"].map((loader) => loader.slice(0, 15)),
]);
const SETTLE_MS = 10_000;

/**
 * The database processes that work in `directory` (an absolute real path) or below it.
 *
 * A PostgreSQL server and all its children keep the data directory as their working directory. So this finds a whole
 * tree, also after its postmaster died and the children were given to init, and no reused pid can be mistaken for one.
 * Shells and editors somebody opened there are other programs and are left out.
 */
export function processesUnder(directory: string): readonly ServerProcess[] {
  return process.platform === "linux" ? byWorkingDirectory(directory) : byCommandLine(directory);
}

function byWorkingDirectory(directory: string): readonly ServerProcess[] {
  const found: ServerProcess[] = [];
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    try {
      const cwd = readlinkSync(`/proc/${pid}/cwd`);
      if (cwd !== directory && !cwd.startsWith(`${directory}/`)) continue;
      const { program, state } = parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
      if (PROGRAMS.has(program)) found.push({ pid, isStopped: state === "T" });
    } catch {
      // gone meanwhile, a zombie, or another user's
    }
  }
  return found;
}

/** Elsewhere (macOS): the postmaster's command line names its data directory, and `ps` knows the parents. */
function byCommandLine(directory: string): readonly ServerProcess[] {
  const lines = execFileSync("ps", ["-axo", "pid=,ppid=,stat=,command="], { encoding: "utf8" }).split("\n");
  const all = lines.flatMap((line) => {
    const [, pid, parent, state, command] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    return pid && state && command ? [{ pid: Number(pid), parent: Number(parent), state, command }] : [];
  });
  const ours = new Set(
    all
      .filter(
        (p) =>
          /postgres|initdb|mariadbd|mysqld/.test(p.command) &&
          /(-D |--datadir=)/.test(p.command) &&
          p.command.includes(directory),
      )
      .map((p) => p.pid),
  );
  for (let before = -1; before !== ours.size; ) {
    before = ours.size;
    for (const p of all) if (ours.has(p.parent)) ours.add(p.pid);
  }
  return all
    .filter((p) => ours.has(p.pid) && !p.state.startsWith("Z"))
    .map((p) => ({ pid: p.pid, isStopped: p.state.startsWith("T") }));
}

/** Stops (SIGSTOP) everything that {@link processesUnder} finds, and returns once the kernel has stopped the last one. */
export function freezeUnder(directory: string): void {
  settle(directory, "stop", (all) => {
    const running = all.filter((process) => !process.isStopped);
    for (const { pid } of running) send(pid, "SIGSTOP");
    return running.length === 0;
  });
}

/** Lets everything that {@link processesUnder} finds run on (SIGCONT). */
export function thawUnder(directory: string): void {
  settle(directory, "run on", (all) => {
    const stopped = all.filter((process) => process.isStopped);
    for (const { pid } of stopped) send(pid, "SIGCONT");
    return stopped.length === 0;
  });
}

/**
 * Kills (SIGKILL) everything that {@link processesUnder} finds and returns when nothing is left. The processes are told to
 * stop first: nothing is forked meanwhile, and no backend sees its postmaster die and says so to its client.
 */
export function killUnder(directory: string): void {
  const told = new Set<number>();
  settle(directory, "be found", (all) => {
    const found = all.filter((process) => !told.has(process.pid));
    for (const { pid } of found) {
      send(pid, "SIGSTOP");
      told.add(pid);
    }
    // whether it has stopped is not asked: initdb cannot while it waits, in vfork(2), for a child that has
    return found.length === 0;
  });
  const segments = new Set([...told].flatMap(sharedMemoryOf));
  settle(directory, "end", (all) => {
    for (const { pid } of all) send(pid, "SIGKILL");
    return all.length === 0;
  });
  for (const segment of segments) rmSync(segment, { force: true });
}

/**
 * The files of the POSIX shared memory that a server has mapped; a killed one would leave them. The lab's settings avoid it,
 * but initdb tries it out, and a user's settings may ask for it.
 */
function sharedMemoryOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/maps`, "utf8").match(/\/dev\/shm\/PostgreSQL\.\d+$/gm) ?? [];
  } catch {
    return []; // gone meanwhile, or no such file system
  }
}

/** Repeats `act` on what a fresh scan finds, until it answers true. */
function settle(directory: string, verb: string, act: (all: readonly ServerProcess[]) => boolean): void {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const all = processesUnder(directory);
    if (act(all)) return;
    if (performance.now() > deadline) {
      const pids = all.map((process) => process.pid).join(", ");
      throw new LabError("timeout", `processes ${pids} in ${directory} did not ${verb} within ${SETTLE_MS} ms`);
    }
    sleepSync(1);
  }
}

/** Sends a signal; a process that is gone meanwhile is no error. */
function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (codeOf(error) !== "ESRCH") throw error;
  }
}

/**
 * A word that, with the pid, names a process for ever: its start time. `undefined` when there is no such process.
 */
export function startOf(pid: number): string | undefined {
  try {
    if (process.platform === "linux") {
      const { start, state } = parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
      return state === "Z" ? undefined : start;
    }
    const started = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" });
    return started.replaceAll(/\W/g, "") || undefined;
  } catch {
    return undefined;
  }
}

/** /proc/PID/stat, see proc(5). The program's name may hold spaces and brackets: the last bracket ends it. */
function parseStat(stat: string): { program: string; state: string; start: string } {
  const end = stat.lastIndexOf(")");
  const rest = stat.slice(end + 2).split(" ");
  return { program: stat.slice(stat.indexOf("(") + 1, end), state: rest[0] ?? "", start: rest[19] ?? "" };
}
