import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCluster, type LabNode } from "@mirrorpool/lab";
import { mirrorpool, type Report } from "./command.ts";
import { followKills } from "./follow-kills.ts";

const TABLES = ["customer", "purchase", "keyless"];
const MOST_MS = 1500;

async function contentOf(node: LabNode): Promise<string> {
  const parts = TABLES.map(
    (table) => `(SELECT count(*) || md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) FROM ${table} AS t)`,
  );
  const sql = `SELECT ${parts.join(" || ")} || (SELECT count(*) FROM pg_constraint WHERE conrelid::regclass::text IN (${TABLES.map((table) => `'${table}'`).join(", ")})) AS content`;
  return JSON.stringify(await node.query(sql));
}

/** Copies, backups, restores and followers, each killed at so many random moments: equal in the end, and nothing twice. */
export async function kills(report: Report, count = 20): Promise<void> {
  await using from = await createCluster({ mirrors: 0, proxies: false, system: "system" });
  await using to = await createCluster({ mirrors: 0, proxies: false, system: "system" });
  const [node, target] = [from.primary(), to.primary()];
  const schema = [
    "CREATE TABLE customer (id int PRIMARY KEY, name text)",
    "CREATE TABLE purchase (id int PRIMARY KEY, customer int REFERENCES customer, body text)",
    "CREATE TABLE keyless (n int)",
  ];
  for (const text of schema) await node.query(text);
  await node.query("INSERT INTO customer SELECT n, 'name ' || n FROM generate_series(1, 50000) n");
  await node.query(
    "INSERT INTO purchase SELECT n, n % 50000 + 1, repeat(md5(n::text), n % 20) FROM generate_series(1, 400000) n",
  );
  await node.query("INSERT INTO keyless SELECT n % 7 FROM generate_series(1, 100000) n");
  for (const table of TABLES) await node.query(`ALTER TABLE ${table} OWNER TO app`);
  await node.query("ANALYZE");
  const expected = await contentOf(node);
  const folder = mkdtempSync(join(tmpdir(), "mirrorpool-kills-"));
  const anew = async (withTables: boolean): Promise<void> => {
    await target.query("DROP SCHEMA public CASCADE");
    await target.query("CREATE SCHEMA public AUTHORIZATION app");
    if (!withTables) return;
    for (const text of schema) await target.query(text);
    for (const table of TABLES) await target.query(`ALTER TABLE ${table} OWNER TO app`);
  };
  /** Killed again and again until it is done, and begun anew until there were so many kills. */
  const untilKilled = async (
    name: string,
    args: readonly string[],
    begin: () => Promise<void>,
    check: () => Promise<boolean>,
  ): Promise<void> => {
    let killed = 0;
    let rounds = 0;
    while (killed < count) {
      await begin();
      rounds += 1;
      for (;;) {
        const isLast = killed >= count;
        const { exitCode, errors } = await mirrorpool(args, isLast ? {} : { killAfterMs: Math.random() * MOST_MS });
        if (exitCode === 0) break;
        if (exitCode !== null)
          return report.check(
            false,
            `${name} goes on where it was killed${errors.map((line) => `\n  ${line}`).join("")}`,
          );
        killed += 1;
      }
      report.check(await check(), `${name} is equal in the end, after ${killed} kills`);
    }
    console.log(`${name}: ${killed} kills, ${rounds} times done`);
  };
  try {
    const isEqual = async (): Promise<boolean> => (await contentOf(target)) === expected;
    const copy = ["copy", "--from", node.directUrl, "--to", target.directUrl, "--chunk-bytes", "1000000"];
    await untilKilled("copy", copy, () => anew(true), isEqual);
    const store = ["--store", folder];
    await untilKilled(
      "backup",
      ["backup", node.directUrl, ...store, "--chunk-bytes", "1048576", "--keep", "2"],
      async () => {},
      async () => (await mirrorpool(["verify", ...store])).exitCode === 0,
    );
    await untilKilled("restore", ["restore", target.directUrl, ...store], () => anew(false), isEqual);
    await followKills(report, count);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
