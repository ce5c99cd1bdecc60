import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { LabCluster } from "@mirrorpool/lab";

/** Begins a job in a process of its own. */
export function startJob(kind: string, cluster: LabCluster, folder: string): ChildProcess {
  const nodes = JSON.stringify(cluster.nodes.map(({ name, url }) => ({ name, url })));
  const child = spawn(
    process.execPath,
    ["--conditions=mirrorpool-source", join(import.meta.dirname, "children/job.ts"), kind, nodes, folder],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  return child;
}

/** Kills the job when it has told of so many chunks. @returns false when it had ended by then */
export async function killAt(child: ChildProcess, chunks: number): Promise<boolean> {
  let told = "";
  child.stdout?.on("data", (part) => {
    told += part;
    if (told.split("\n").some((line) => Number(line) >= chunks)) child.kill("SIGKILL");
  });
  const [, signal] = await once(child, "close");
  return signal === "SIGKILL";
}
