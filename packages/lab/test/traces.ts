import { readdirSync, readFileSync } from "node:fs";
import { listClaims } from "../src/platform/ports.ts";
import { processesUnder } from "../src/platform/processes.ts";

/** Everything of a lab that could be left behind on this machine. Compare with an empty one. */
export interface Traces {
  readonly processes: readonly number[];
  readonly watchdogs: readonly number[];
  readonly folders: readonly string[];
  readonly mounts: readonly string[];
}

export const NO_TRACES: Traces = { processes: [], watchdogs: [], folders: [], mounts: [] };

/** What is left of labs in `home`, a `mirrorpool-lab-UID` folder. */
export function tracesIn(home: string): Traces {
  return {
    processes: processesUnder(home).map((process) => process.pid),
    watchdogs: pidsWithArgument(home),
    folders: entries(home),
    mounts: readFileSync("/proc/self/mounts", "utf8")
      .split("\n")
      .filter((line) => line.includes(home)),
  };
}

/** The ports that the process with this id has claimed. */
export function claimsOf(pid: number | undefined): readonly string[] {
  return listClaims().flatMap(([port, owner]) => (owner.startsWith(`${pid}-`) ? [port] : []));
}

/** The ids of all System V shared memory segments. */
export function sharedMemoryIds(): ReadonlySet<string> {
  const [, ...lines] = readFileSync("/proc/sysvipc/shm", "utf8").trim().split("\n");
  return new Set(lines.map((line) => line.trim().split(/\s+/)[1] ?? ""));
}

/** The shared memory segments that the servers under `home` have. */
export function sharedMemoryOf(home: string): readonly string[] {
  return entries(home).flatMap((run) =>
    entries(`${home}/${run}`).flatMap((node) => {
      try {
        const line = readFileSync(`${home}/${run}/${node}/postmaster.pid`, "utf8").split("\n")[6] ?? "";
        return line.trim().split(/\s+/)[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
}

/** The files of the POSIX shared memory that a process has mapped. */
export function posixSegmentsOf(pid: number): readonly string[] {
  return readFileSync(`/proc/${pid}/maps`, "utf8").match(/\/dev\/shm\/PostgreSQL\.\d+$/gm) ?? [];
}

/** The watchdogs, whose command line names the folder. */
function pidsWithArgument(text: string): readonly number[] {
  return entries("/proc").flatMap((entry) => {
    try {
      const commandLine = readFileSync(`/proc/${Number(entry)}/cmdline`, "utf8");
      return commandLine.startsWith("/bin/sh") && commandLine.includes(text) ? [Number(entry)] : [];
    } catch {
      return [];
    }
  });
}

function entries(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
