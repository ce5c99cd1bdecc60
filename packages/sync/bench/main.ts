import { execFile } from "node:child_process";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { createCluster } from "@mirrorpool/lab";

const run = promisify(execFile);
const { values } = parseArgs({
  options: { rows: { type: "string", default: "400000" }, rounds: { type: "string", default: "3" } },
});
const [rows, rounds] = [Number(values.rows), Number(values.rounds)];
/** Readers, and as many writers. */
const CONNECTIONS = 2;

const NARROW =
  "CREATE TABLE narrow AS SELECT i AS id, i % 1000 AS kind, (i::bigint * 7919) % 1000003 AS value FROM generate_series(1, $1::int * 4) AS i";
const WIDE = `CREATE TABLE wide AS SELECT i AS id, md5(i::text) AS a, repeat(md5((i::bigint * 3)::text), 4) AS b, now() + i * interval '1 second' AS at,
  (i * 1.37)::numeric(12, 2) AS price, i % 2 = 0 AS flag, (random() * 1e6)::float8 AS f, ('2020-01-01'::date + i % 3000) AS day,
  NULLIF(i % 5, 0) AS maybe, md5((i::bigint * 5)::text)::uuid AS uuid, i % 7 AS kind, repeat('x', i % 40) AS c, (i * 11)::bigint AS big FROM generate_series(1, $1::int) AS i`;

/** How long a command took as a whole, in ms. */
async function timed(command: string, ...args: string[]): Promise<number> {
  const startedAt = performance.now();
  await run(command, args);
  return performance.now() - startedAt;
}

const copied = (from: string, to: string, tables: string, job: string): Promise<number> =>
  timed(process.execPath, join(import.meta.dirname, "copy.mjs"), from, to, tables, job, String(CONNECTIONS));

/** By hand, with so many connections on each side. */
const written = (from: string, to: string, connections: number): Promise<number> =>
  timed(process.execPath, join(import.meta.dirname, "rows.ts"), from, to, "wide", String(rows), String(connections));

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((one, other) => one - other)[numbers.length >> 1] ?? 0;

interface Row {
  readonly what: string;
  readonly isOurs: boolean;
  readonly rows: number;
  readonly times: number[];
}

const measured = new Map<string, Row>();
const note = (what: string, by: string, count: number, ms: number): void => {
  const key = `${what} | ${by}`;
  const row = measured.get(key) ?? { what, isOurs: by === "copy", rows: count, times: [] };
  measured.set(key, row);
  row.times.push(ms);
};
const postgres = await createCluster({ mirrors: 0, proxies: false, system: "system" });
// as much memory as PostgreSQL has by default, and a log that is not full all the time
const settings = { innodb_buffer_pool_size: "128M", innodb_log_file_size: "1G" };
const mariadb = await createCluster({ server: "mariadb", mirrors: 0, proxies: false, settings });
try {
  const [node, other] = [postgres.primary(), mariadb.primary()];
  const source = node.directUrl;
  const on = (database: string): string => source.replace(/\/[^/]*$/, `/${database}`);
  await node.query(NARROW, [rows]);
  await node.query(WIDE, [rows]);
  for (const table of ["narrow", "wide"]) {
    await node.query(`ALTER TABLE ${table} OWNER TO app`);
    await node.query(`ALTER TABLE ${table} ADD PRIMARY KEY (id)`);
  }
  await node.query("VACUUM ANALYZE");
  /** A database with the tables, and no rows. */
  const anew = async (): Promise<string> => {
    await node.query("DROP DATABASE IF EXISTS copied");
    await node.query("CREATE DATABASE copied OWNER app");
    await run("sh", ["-c", 'pg_dump --schema-only "$0" | psql -qd "$1"', source, on("copied")]);
    return on("copied");
  };
  const emptied = async (): Promise<string> => {
    await other.query("TRUNCATE TABLE app.wide");
    return other.directUrl;
  };
  // makes the tables, and warms all servers
  await copied(source, other.directUrl, "wide", "first");
  for (let round = 0; round < rounds; round += 1) {
    const job = `round ${round}`;
    const whole = "PostgreSQL to PostgreSQL";
    note(whole, "copy", rows * 5, await copied(source, await anew(), "narrow,wide", job));
    // a table for each of two connections: what pgcopydb does, without its work on indexes
    const pipe = (table: string): string => `pg_dump --data-only -t ${table} "$0" | psql -qd "$1"`;
    const pipes = `${pipe("narrow")} & ${pipe("wide")} & wait`;
    note(whole, "pg_dump | psql, twice at once", rows * 5, await timed("sh", "-c", pipes, source, await anew()));
    const there = "PostgreSQL to MariaDB";
    note(there, "rows and INSERTs, one connection", rows, await written(source, await emptied(), 1));
    note(there, "rows and INSERTs, two at once", rows, await written(source, await emptied(), CONNECTIONS));
    note(there, "copy", rows, await copied(source, await emptied(), "wide", job));
    const back = "MariaDB to PostgreSQL";
    const from = other.directUrl;
    note(back, "rows and INSERTs, one connection", rows, await written(from, await anew(), 1));
    note(back, "rows and INSERTs, two at once", rows, await written(from, await anew(), CONNECTIONS));
    note(back, "copy", rows, await copied(from, await anew(), "wide", job));
  }
} finally {
  await Promise.all([postgres.close(), mariadb.close()]);
}
const figures = [...measured].map(([key, { what, rows: count, times }]) => {
  const own = [...measured.values()].find((row) => row.what === what && row.isOurs)?.times ?? [];
  return {
    name: key,
    ms: Math.round(median(times)),
    "rows/s": Math.round((count / median(times)) * 1000),
    "times ours": Number((median(times) / median(own)).toFixed(2)),
  };
});
console.table(figures);
console.log(
  `${rows} wide and ${rows * 4} narrow rows, copies with ${CONNECTIONS} connections on each side, whole processes, ${rounds} rounds in turn, medians`,
);
