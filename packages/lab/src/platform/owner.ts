import { readlinkSync } from "node:fs";
import { startOf } from "./processes.ts";

/**
 * The name of this process in directory and lock names: pid, start time, pid namespace. Containers that share a folder
 * have different namespaces: there a missing pid proves nothing.
 */
export function ownName(): string {
  return `${process.pid}-${startOf(process.pid) ?? "0"}-${ownNamespace()}`;
}

/** Whether the process that {@link ownName} once named is certainly gone. Doubt, or any other text, means false. */
export function isGone(name: string): boolean {
  const [, pid, start, namespace] = /^(\d+)-(\w+)-(\w+)/.exec(name) ?? [];
  if (pid === undefined || namespace !== ownNamespace()) return false;
  return startOf(Number(pid)) !== start;
}

function ownNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid").replaceAll(/\D/g, "");
  } catch {
    return "none";
  }
}
