import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { createCluster, type LabNode } from "@mirrorpool/lab";
import type { Report } from "./command.ts";
import { COLUMNS, EXTREMES } from "./mixed-rows.ts";

const run = promisify(execFile);

/** The whole content as `pg_dump` writes it, in whatever order rows lie. */
async function digestOf(url: string): Promise<string> {
  const script = `pg_dump --data-only --table=everything "$0" | grep -v '^.unrestrict\\|^.restrict' | LC_ALL=C sort | tee >(wc -l) >(sha256sum) > /dev/null`;
  return (await run("bash", ["-o", "pipefail", "-c", script, url])).stdout.trim().split("\n").sort().join(" ");
}

async function schemaOf(url: string): Promise<string> {
  const script = `pg_dump --schema-only --table=everything "$0" | grep -v '^.unrestrict\\|^.restrict'`;
  return (await run("sh", ["-c", script, url])).stdout;
}

async function makeTable(node: LabNode): Promise<void> {
  await node.query(`CREATE TYPE mood AS ENUM ('glad', 'so "so"', '1')`);
  await node.query(`CREATE TABLE everything (${COLUMNS}, twice int8 GENERATED ALWAYS AS (i4::int8 * 2) STORED)`);
  await node.query("ALTER TABLE everything OWNER TO app");
}

/** PostgreSQL to MariaDB and back, with all types and their extremes; then differences among so many rows, found and mended. */
export async function roundTrip(report: Report, rows = 1_000_000): Promise<void> {
  await using first = await createCluster({ mirrors: 0, proxies: false, system: "system" });
  await using middle = await createCluster({ mirrors: 0, proxies: false, server: "mariadb" });
  await using last = await createCluster({ mirrors: 0, proxies: false, system: "system" });
  const [source, there, back] = [first, middle, last].map((cluster) => cluster.primary()) as [
    LabNode,
    LabNode,
    LabNode,
  ];
  for (const node of [source, back]) await makeTable(node);
  for (const row of EXTREMES) await source.query(`INSERT INTO everything VALUES (${row})`);
  const names = (
    await source.query<{ name: string }>(
      "SELECT quote_ident(attname) AS name FROM pg_attribute WHERE attrelid = 'everything'::regclass AND attnum > 1 AND attgenerated = '' ORDER BY attnum",
    )
  ).map(({ name }) => name);
  const values = names.map((name) =>
    name === "f4" || name === "f8" ? `coalesce(e.${name}, random() * 10 ^ (random() * 60 - 30))` : `e.${name}`,
  );
  await source.query(
    `INSERT INTO everything (id, ${names.join(", ")}) SELECT place, ${values.join(", ")} FROM generate_series(1000, 999 + $1::int) AS place JOIN (SELECT *, row_number() OVER (ORDER BY id) - 1 AS turn FROM everything) AS e ON e.turn = place % ${EXTREMES.length}`,
    [rows - EXTREMES.length],
  );
  await source.query("VACUUM ANALYZE everything");
  const lossy = ["--lossy", "as-text", "json-normalized"];
  const to = ["--from", source.url, "--to", there.url, ...lossy];
  const fro = ["--from", there.url, "--to", back.url, ...lossy];
  await report.call("copy, PostgreSQL to MariaDB", ["copy", ...to, "--create-tables"]);
  await report.call("compare", ["compare", ...to]);
  await report.call("copy, MariaDB to PostgreSQL", ["copy", ...fro]);
  await report.call("compare", ["compare", ...fro]);
  await report.call("compare, PostgreSQL and PostgreSQL", ["compare", "--from", source.url, "--to", back.url]);
  const [digest, digestBack] = [await digestOf(source.directUrl), await digestOf(back.directUrl)];
  console.log(`pg_dump, sorted: ${digest} and ${digestBack}`);
  report.check(digest === digestBack, "pg_dump of the first and the last are the same");
  report.check(
    (await schemaOf(source.directUrl)) === (await schemaOf(back.directUrl)),
    "their definitions are the same",
  );

  for (const [name, other, args] of [
    ["MariaDB", there, to],
    ["PostgreSQL", back, ["--from", source.url, "--to", back.url]],
  ] as const) {
    const isMariadb = other === there;
    const database = isMariadb ? "app." : "";
    for (let each = 1; each <= 10; each += 1)
      await other.query(
        `UPDATE ${database}everything SET t = 'changed' WHERE id = ${1000 + Math.floor((each * rows) / 12)}`,
      );
    await other.query(`DELETE FROM ${database}everything WHERE id IN (-2, ${Math.floor(rows / 3)}, ${rows - 7})`);
    await other.query(`INSERT INTO ${database}everything (id, t) VALUES (-1000, 'added'), (${rows + 5000}, 'added')`);
    const { result } = await report.call(`compare, 15 of ${rows} rows of ${name} differ`, ["compare", ...args], 3);
    const found = (result["differences"] as { what: string }[]).map(({ what }) => what).sort();
    const expected = [...Array(10).fill("different"), "extra", "extra", "missing", "missing", "missing"];
    report.check(
      JSON.stringify(found) === JSON.stringify(expected),
      `exactly 10 changed, 3 removed and 2 added rows are found, and not ${found}`,
    );
    await report.call("repair", ["repair", ...args]);
    await report.call("compare", ["compare", ...args]);
  }
  report.check(
    (await digestOf(source.directUrl)) === (await digestOf(back.directUrl)),
    "pg_dump is the same again after the repair",
  );
}
