import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCluster } from "@mirrorpool/lab";
import type { Report } from "./command.ts";

/** One value of so many MB: copied, compared, backed up and restored, on PostgreSQL and on MariaDB. */
export async function huge(report: Report, megabytes = 500): Promise<void> {
  await onPostgres(report, megabytes);
  await onMariadb(report, megabytes);
}

async function onPostgres(report: Report, megabytes: number): Promise<void> {
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

/** Bytes have two digits each while they are restored, and the server takes 1 GiB. */
const MOST_ON_MARIADB = 510;

async function onMariadb(report: Report, megabytes: number): Promise<void> {
  const settings = { max_allowed_packet: "1073741824" };
  await using from = await createCluster({ server: "mariadb", mirrors: 0, proxies: false, settings });
  await using to = await createCluster({ server: "mariadb", mirrors: 0, proxies: false, settings });
  const [source, target] = [from.primary(), to.primary()];
  await source.query(
    "CREATE TABLE app.big (id int PRIMARY KEY, name varchar(20), body longblob, words longtext) ENGINE = InnoDB",
  );
  await source.query("INSERT INTO app.big SELECT seq, 'small', 'x', NULL FROM seq_2_to_1000");
  // a megabyte that is not to be compressed, again and again
  const text = `INSERT INTO app.big SELECT 1, 'back\\\\slash', REPEAT(GROUP_CONCAT(UNHEX(SHA2(seq, 256)) SEPARATOR ''), ?), REPEAT('tab\\tä\\\\', 2000000) FROM seq_1_to_31250`;
  await source.query("SET GLOBAL group_concat_max_len = 4000000");
  await source.query("SET SESSION group_concat_max_len = 4000000");
  await source.query(text, [Math.min(megabytes, MOST_ON_MARIADB)]);
  const folder = mkdtempSync(join(tmpdir(), "mirrorpool-huge-"));
  try {
    await report.call("MariaDB: backup", ["backup", source.directUrl, "--store", folder]);
    await report.call("MariaDB: verify", ["verify", "--store", folder]);
    await report.call("MariaDB: restore", ["restore", target.directUrl, "--store", folder]);
    const between = ["--from", source.directUrl, "--to", target.directUrl];
    await report.call("MariaDB: compare", ["compare", ...between]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
