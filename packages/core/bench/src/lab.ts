import type { LabCluster } from "@mirrorpool/lab";
import { createCluster } from "@mirrorpool/lab";

/** One primary and one mirror on this machine: no proxies, and nothing that would run by itself while we measure. */
export function quietCluster(): Promise<LabCluster> {
  return createCluster({ mirrors: 1, proxies: false, settings: { autovacuum: "off" } });
}

/** Its name and version, as reports give them. */
export async function serverOf(cluster: LabCluster): Promise<string> {
  const [row] = await cluster.primary().query<{ server_version: string }>("SHOW server_version");
  return `PostgreSQL ${row?.server_version ?? ""}`;
}
