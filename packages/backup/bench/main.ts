import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { createCluster } from "@mirrorpool/lab";

const run = promisify(execFile);
const { values } = parseArgs({
  options: { rows: { type: "string", default: "3600000" }, rounds: { type: "string", default: "3" } },
});
const [rows, rounds] = [Number(values.rows), Number(values.rounds)];
/** Debian has it as a package of this name; the others come with the servers. */
const hasPgcopydb = await run("pgcopydb", ["--version"]).then(
  () => true,
  () => false,
);
const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "mirrorpool-bench-"));

const NARROW =
  "CREATE TABLE narrow AS SELECT i AS id, i % 1000 AS kind, (i::bigint * 7919) % 1000003 AS value FROM generate_series(1, $1::int * 2) AS i";
const WIDE = `CREATE TABLE wide AS SELECT i AS id, md5(i::text) AS a, repeat(md5((i::bigint * 3)::text), 4) AS b, now() + i * interval '1 second' AS at,
  (i * 1.37)::numeric(12, 2) AS price, i % 2 = 0 AS flag, (random() * 1e6)::float8 AS f, ('2020-01-01'::date + i % 3000) AS day,
  NULLIF(i % 5, 0) AS maybe, md5((i::bigint * 5)::text)::uuid AS uuid FROM generate_series(1, $1::int) AS i`;

/** How long a command took, in ms. */
async function timed(command: string, ...args: string[]): Promise<number> {
  const startedAt = performance.now();
  await run(command, args);
  return performance.now() - startedAt;
}

async function job(
  kind: "backup" | "restore" | "copy",
  url: string,
  at: string,
  form = "text",
): Promise<{ ms: number; maxBytes: number }> {
  const startedAt = performance.now();
  const { stdout } = await run(process.execPath, [join(import.meta.dirname, "job.mjs"), kind, url, at, form]);
  // the whole process, as of the others
  return { ms: performance.now() - startedAt, ...JSON.parse(stdout) };
}

function sizeOf(path: string): number {
  const entries = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((one, other) => one - other)[numbers.length >> 1] ?? 0;

// one cluster, with databases of its own for what is restored
const cluster = await createCluster({
  ...{ mirrors: 0, proxies: false, system: "system" },
  // what one job has written is not tidied up while the next one is timed
  settings: { autovacuum: "off", max_wal_size: "16GB" },
});
const times: Record<string, number[]> = {};
const sizes: Record<string, number> = {};
let maxBytes = 0;
let isCounting = false;
const note = (name: string, ms: number): void => {
  if (isCounting) times[name] = [...(times[name] ?? []), ms];
};
try {
  const node = cluster.primary();
  const on = (database: string): string => node.directUrl.replace(/\/[^/]*$/, `/${database}`);
  await node.query(NARROW, [rows]);
  await node.query(WIDE, [rows]);
  for (const table of ["narrow", "wide"]) {
    await node.query(`ALTER TABLE ${table} OWNER TO app`);
    await node.query(`ALTER TABLE ${table} ADD PRIMARY KEY (id)`);
  }
  await node.query("VACUUM ANALYZE");
  const anew = async (): Promise<string> => {
    await node.query("DROP DATABASE IF EXISTS restored");
    await node.query("CREATE DATABASE restored OWNER app");
    return on("restored");
  };
  const at = (name: string): string => join(folder, name);
  const rested = (): Promise<unknown> => node.query("CHECKPOINT");
  const ours = async (name: string, ...args: Parameters<typeof job>): Promise<number> => {
    await rested();
    const { ms, maxBytes: used } = await job(...args);
    note(name, ms);
    maxBytes = Math.max(maxBytes, used);
    return ms;
  };
  const theirs = async (name: string, ...args: Parameters<typeof timed>): Promise<number> => {
    await rested();
    const ms = await timed(...args);
    note(name, ms);
    return ms;
  };
  // who comes first pays for the WAL files that all others use again: the first round does not count
  const inTurn = async (work: () => Promise<void>): Promise<void> => {
    for (let round = 0; round <= rounds; round += 1) {
      isCounting = round > 0;
      await work();
    }
  };
  const source = on("app");
  await inTurn(async () => {
    for (const name of ["text", "binary", "pg_dump", "pg_dump-Z1"]) rmSync(at(name), { recursive: true, force: true });
    await ours("backup", "backup", source, at("text"));
    await theirs("pg_dump -Fd -j2 -Z1", "pg_dump", "-Fd", "-j2", "-Z1", "-f", at("pg_dump-Z1"), source);
    await ours("backup, binary rows", "backup", source, at("binary"), "binary");
    await theirs("pg_dump -Fd -j2", "pg_dump", "-Fd", "-j2", "-f", at("pg_dump"), source);
  });
  Object.assign(sizes, {
    backup: sizeOf(at("text")),
    "backup, binary rows": sizeOf(at("binary")),
    "pg_dump -Fd -j2": sizeOf(at("pg_dump")),
    "pg_dump -Fd -j2 -Z1": sizeOf(at("pg_dump-Z1")),
  });
  await inTurn(async () => {
    await ours("restore", "restore", await anew(), at("text"));
    const url = await anew();
    const dump = ["-d", url, at("pg_dump-Z1")] as const;
    const restoring = await theirs("pg_restore -j2", "pg_restore", "-j2", "--no-owner", ...dump);
    // the same outcome: ours does that as well
    note("pg_restore -j2, vacuumdb -Z", restoring + (await timed("vacuumdb", "-q", "-Z", "-j2", "-d", url)));
    await ours("restore, binary rows", "restore", await anew(), at("binary"));
  });
  await inTurn(async () => {
    const target = await anew();
    const schema = await timed("sh", "-c", 'pg_dump --schema-only "$0" | psql -qd "$1"', source, target);
    const copying = schema + (await ours("copy", "copy", source, target));
    note("schema, copy", copying);
    // the same outcome: pgcopydb does that as well
    note("schema, copy, vacuumdb -z", copying + (await timed("vacuumdb", "-q", "-z", "-j2", "-d", target)));
    await theirs("pg_dump | psql (copy)", "sh", "-c", 'pg_dump "$0" | psql -qd "$1"', source, await anew());
    if (!hasPgcopydb) return;
    const two = ["--table-jobs", "2", "--index-jobs", "2", "--no-owner", "--no-acl", "--dir", at("pgcopydb")] as const;
    rmSync(at("pgcopydb"), { recursive: true, force: true });
    await theirs("pgcopydb (copy)", "pgcopydb", "clone", "--source", source, "--target", await anew(), ...two);
  });
} finally {
  await cluster.close();
  rmSync(folder, { recursive: true, force: true });
}
const figures = Object.entries(times).map(([name, all]) => {
  const reference = ["restore", "copy"].find((each) => name.includes(each)) ?? "backup";
  return {
    name,
    ms: Math.round(median(all)),
    "times ours": Number((median(all) / median(times[reference] ?? [])).toFixed(2)),
    megabytes: sizes[name] === undefined ? "" : Math.round(sizes[name] / 1e6),
  };
});
console.table(figures);
if (!hasPgcopydb) console.log("pgcopydb is not on this machine, and was not measured");
console.log(
  `${rows} wide and ${2 * rows} narrow rows, ${rounds} rounds in turn, medians; most memory of ours: ${Math.round(maxBytes / 1024 ** 2)} MiB`,
);
