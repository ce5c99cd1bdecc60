import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { drillPage } from "../src/drill/html.ts";
import type { DrillReport } from "../src/drill/report.ts";
import { call, newFolder } from "./support.ts";

test("a drill kills and hands over the primary under load, and writes what the application saw", async () => {
  const folder = newFolder();
  const { exitCode, stdout } = await call(
    ["drill", "--faults", "kill", "switchover", "--calm", "500", "--mirrors", "1", "--synchronous", "--exactly-once"],
    { folder },
  );
  expect(stdout).toContain("the data is as it has to be");
  expect(exitCode).toBe(0);
  const report = JSON.parse(readFileSync(join(folder, "drill.json"), "utf8")) as DrillReport;
  expect(report.faults.map(({ name }) => name)).toEqual(["kill", "switchover"]);
  expect(report.done).toBeGreaterThan(100);
  expect(report.slots.reduce((sum, { done }) => sum + done, 0)).toBe(report.done);
  expect(report.events.filter(({ name }) => name === "primary-changed").length).toBeGreaterThanOrEqual(2);
  const page = readFileSync(join(folder, "drill.html"), "utf8");
  expect(page).toContain("<svg");
  expect(page).not.toMatch(/(src|href)=/);
}, 120_000);

test("a workload of one's own is run, and what it finds wrong ends the drill with 3", async () => {
  const folder = newFolder();
  writeFileSync(
    join(folder, "workload.mjs"),
    `export default {
       run: async (pool, { sequence }) => { await pool.query("SELECT 1"); if (sequence % 10 === 0) throw Object.assign(new Error("<b>no</b>"), { code: "E_OWN" }); },
       verify: async () => ["one <i>row</i> too many"],
     };`,
  );
  const args = [
    "drill",
    "--workload",
    "workload.mjs",
    "--faults",
    "mirror",
    "--calm",
    "300",
    "--mirrors",
    "1",
    "--report",
    "out",
  ];
  const { exitCode, stdout } = await call(args, { folder });
  expect(exitCode).toBe(3);
  expect(stdout).toContain("one <i>row</i> too many");
  const page = readFileSync(join(folder, "out.html"), "utf8");
  expect(page).toContain("E_OWN");
  expect(page).not.toMatch(/<i>row|<b>no/);
}, 120_000);

test("a report without anything in it is a page as well", () => {
  const nothing: DrillReport = {
    ...{
      startedAt: "now",
      durationMs: 0,
      workload: "w",
      callers: 1,
      mirrors: 0,
      done: 0,
      failed: 0,
      codes: {},
      errors: [],
    },
    ...{ faults: [], slots: [], events: [], problems: [] },
  };
  expect(drillPage(nothing)).toContain("</svg>");
  expect(drillPage(nothing)).not.toMatch(/NaN|Infinity/);
});
