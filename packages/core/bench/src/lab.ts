import type { LabCluster } from "@mirrorpool/lab";
import { createCluster } from "@mirrorpool/lab";
import type { System } from "./systems/system.ts";

/** One primary and one mirror on this machine: no proxies, and nothing that would run by itself while we measure. */
export function quietCluster({ kind, settings }: System): Promise<LabCluster> {
  return createCluster({ server: kind, mirrors: 1, proxies: false, maxConnections: 300, settings });
}

/** Its name and version, as reports give them. */
export async function serverOf(cluster: LabCluster, { title }: System): Promise<string> {
  const [row] = await cluster.primary().query<{ version: string }>("SELECT version() AS version");
  const [number = ""] = /\d+(\.\d+)+/.exec(row?.version ?? "") ?? [];
  return `${title} ${number}`;
}
