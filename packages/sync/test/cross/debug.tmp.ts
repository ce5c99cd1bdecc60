import { compare, copy } from "@mirrorpool/sync";
import { openPlace } from "./support.ts";
import { readFileSync } from "node:fs";
import * as pt from "../../src/postgres/text-of.ts";
import * as mt from "../../src/mysql/text-of.ts";
import { bridgeOf } from "../../src/dialects.ts";
import { pairTables } from "../../src/pair-tables.ts";
import { askRows } from "../../src/mysql/ask.ts";
const src = readFileSync(new URL("./types.test.ts", import.meta.url), "utf8");
const cut = src.slice(src.indexOf("const COLUMNS"), src.indexOf("async function makeFirst"));
const { stripTypeScriptTypes } = await import("node:module");
const [COLUMNS, FOREIGN, ROWS] = new Function(stripTypeScriptTypes(cut) + "; return [COLUMNS, FOREIGN, ROWS]")();
await using first = await openPlace("postgres");
await using middle = await openPlace((process.argv[2] ?? "mariadb") as "mariadb");
await first.run(`CREATE TYPE mood AS ENUM ('glad', 'so "so"', '1')`, `CREATE TABLE everything (${COLUMNS}${FOREIGN})`);
for (const row of ROWS) await first.run(`INSERT INTO everything VALUES (${row})`);
await first.run(
    "INSERT INTO everything (id, f4, f8) SELECT 100 + n, (random() - 0.5) * 10 ^ (random() * 60 - 30), (random() - 0.5) * 10 ^ (random() * 600 - 300) FROM generate_series(1, 5000) n",
);
const there = { from: first.pool, to: middle.pool, lossy: ["as-text", "json-normalized"] as const };
console.log(await copy({ ...there, createTables: true }));
const report = await compare({ ...there, recheckMs: 10 });
console.log(report.differences.length, report.differences.slice(0, 5));
const bridge = await bridgeOf(first.pool, middle.pool, new Set(there.lossy));
const s = await bridge.source.readPrimary(first.pool, undefined), t = await bridge.target.readPrimary(middle.pool, undefined);
const { pairs } = pairTables(s.tables.filter((x) => x.name === "everything"), t, bridge);
const pair = pairs[0]!;
const keys = report.differences.slice(0, 20).map(({ key }) => key!);
const by = new Map(pair.target.columns.map((c) => [c.name, c]));
for (const [k] of keys) {
  const a = await first.pool.transaction(async (on) => { await bridge.source.prepareReader(on); return on.query(`SELECT json_build_array(${pair.source.columns.map(pt.hashedText).join(",")})::text AS x, json_build_array(${pair.source.columns.map(pt.textOf).join(",")})::text AS y FROM public.everything WHERE id = ${k}`)});
  const b = await middle.pool.transaction(async (on) => { await bridge.target.prepareReader(on); return [await askRows(on, `SELECT ${pair.source.columns.map((c) => mt.hashedText(by.get(c.name)!)).join(",")} FROM everything WHERE id = ${k}`), await askRows(on, `SELECT ${pair.source.columns.map((c) => mt.textOf(by.get(c.name)!)).join(",")} FROM everything WHERE id = ${k}`)]});
  const [h, y] = [JSON.parse(String((a.rows[0] as any).x)), JSON.parse(String((a.rows[0] as any).y))];
  pair.source.columns.forEach((c, i) => { if (h[i] !== b[0]![0]![i]) console.log(k, c.name, h[i], b[0]![0]![i], y[i], b[1]![0]![i]); });
}
