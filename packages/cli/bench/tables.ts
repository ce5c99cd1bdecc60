import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCluster } from "@mirrorpool/lab";
import type { Report } from "./command.ts";

const BATCH = 500;

/** Ten thousand tables: copied, compared, backed up and restored; also to another system and back. */
export async function tables(report: Report, count = 10_000): Promise<void> {
  const settings = { max_locks_per_transaction: "256", fsync: "off" };
  await using from = await createCluster({ mirrors: 0, proxies: false, system: "system", settings });
  await using to = await createCluster({ mirrors: 0, proxies: false, system: "system", settings });
  await using middle = await createCluster({ mirrors: 0, proxies: false, server: "mariadb" });
  const [source, target, other] = [from.primary(), to.primary(), middle.primary()];
  for (let first = 0; first < count; first += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, count - first) }, (_, index) => first + index);
    const text = numbers
      .map((n) => `CREATE TABLE t${n} (id int PRIMARY KEY, body text); ALTER TABLE t${n} OWNER TO app`)
      .join("; ");
    for (const node of [source, target]) await node.query(text);
    await source.query(
      numbers.map((n) => `INSERT INTO t${n} SELECT i, md5(i::text) FROM generate_series(1, ${n % 5}) AS i`).join("; "),
    );
  }
  await source.query("CREATE DATABASE restored OWNER app");
  await source.query("ANALYZE");
  const folder = mkdtempSync(join(tmpdir(), "mirrorpool-tables-"));
  const restored = source.url.replace(/\/[^/]*$/, "/restored");
  try {
    const between = ["--from", source.url, "--to", target.url];
    await report.call("copy", ["copy", ...between]);
    await report.call("compare", ["compare", ...between]);
    await target.query("UPDATE t4 SET body = 'other' WHERE id = 3");
    await report.call("compare, one row differs", ["compare", ...between], 3);
    await report.call("repair", ["repair", ...between]);
    await report.call("copy to MariaDB", ["copy", "--from", source.url, "--to", other.url, "--create-tables"]);
    await report.call("compare with MariaDB", ["compare", "--from", source.url, "--to", other.url]);
    await report.call("copy back", [
      "copy",
      "--from",
      other.url,
      "--to",
      target.url,
      "--into",
      "replace",
      "--job",
      "back",
    ]);
    await report.call("compare", ["compare", ...between]);
    await report.call("backup", ["backup", source.directUrl, "--store", folder]);
    await report.call("verify", ["verify", "--store", folder]);
    await report.call("restore", ["restore", restored, "--store", folder]);
    await report.call("compare", ["compare", "--from", source.url, "--to", restored]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
