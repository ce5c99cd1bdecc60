import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCluster } from "@mirrorpool/lab";
import type { Report } from "./command.ts";

/** One value of so many MB: copied, compared, backed up and restored. */
export async function huge(report: Report, megabytes = 500): Promise<void> {
  await using from = await createCluster({ mirrors: 0, proxies: false, system: "system" });
  await using to = await createCluster({ mirrors: 0, proxies: false, system: "system" });
  const [source, target] = [from.primary(), to.primary()];
  for (const node of [source, target])
    for (const text of ["CREATE TABLE big (id int PRIMARY KEY, body bytea)", "ALTER TABLE big OWNER TO app"])
      await node.query(text);
  await source.query("CREATE DATABASE restored OWNER app");
  // not to be compressed, as that of a film
  const megabyte = "SELECT string_agg(sha256(i::text::bytea), ''::bytea) AS block FROM generate_series(1, 31249) AS i";
  await source.query(
    `INSERT INTO big SELECT 1, string_agg(block || sha256(n::text::bytea), ''::bytea) FROM generate_series(1, $1::int) AS n, (${megabyte}) AS made`,
    [megabytes],
  );
  await source.query("INSERT INTO big SELECT n, 'small' FROM generate_series(2, 1000) AS n");
  const folder = mkdtempSync(join(tmpdir(), "mirrorpool-huge-"));
  const restored = source.url.replace(/\/[^/]*$/, "/restored");
  try {
    const between = ["--from", source.url, "--to", target.url];
    await report.call("copy", ["copy", ...between]);
    await report.call("compare", ["compare", ...between]);
    await report.call("backup", ["backup", source.directUrl, "--store", folder]);
    await report.call("verify", ["verify", "--store", folder]);
    await report.call("restore", ["restore", restored, "--store", folder]);
    await report.call("compare", ["compare", "--from", source.url, "--to", restored]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
