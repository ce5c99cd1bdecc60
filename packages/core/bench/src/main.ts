import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { type Baseline, compareWith, parseBaseline, record } from "./baseline.ts";
import type { Row } from "./compare.ts";
import { compare } from "./compare.ts";
import { judge, judgeFigures } from "./judge.ts";
import { renderMarkdown, replaceBetweenMarkers } from "./markdown.ts";
import { type BenchOptions, parseOptions, usage } from "./options.ts";
import { renderFigures, renderRows, renderTable, renderVerdicts } from "./render.ts";
import type { Machine, Report } from "./report.ts";
import { describe } from "./report.ts";
import type { Suite } from "./suite.ts";
import { suites } from "./suites/index.ts";
import { systems } from "./systems/index.ts";
import type { System } from "./systems/system.ts";

const BASELINE = fileURLToPath(new URL("../baseline.json", import.meta.url));

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const note = (text: string): void => void process.stderr.write(`  ${text}\n`);

async function runSuite(suite: Suite, system: System, { rounds, seconds, only }: BenchOptions): Promise<Report> {
  const name = reportName(suite, system);
  print(`\n${name}: ${suite.title}`);
  await using open = await suite.open(system);
  const effort = { rounds, seconds, ...suite.effort, pace: suite.pace };
  const rows: Row[] = [];
  for (const cell of open.cells) {
    if (![cell.work, ...cell.clients.map((client) => client.name)].some((name) => name.includes(only))) continue;
    note(`${cell.work}, callers ${cell.concurrency}`);
    rows.push(...(await compare(cell, effort)));
  }
  if (rows.length > 0) print(`\n${renderRows(rows)}`);
  const { figures, tables } = (await open.findings?.(note)) ?? {};
  for (const table of tables ?? []) print(`\n${renderTable(table)}`);
  if (figures !== undefined) print(`\n${renderFigures(figures)}`);
  const verdicts = [...judge(rows, suite.targets(system)), ...judgeFigures(figures ?? [])];
  print(`\nTargets:\n${renderVerdicts(verdicts)}`);
  const { server } = open;
  return {
    suite: name,
    rows,
    ...(figures && { figures }),
    ...(tables && { tables }),
    verdicts,
    ...(server && { server }),
  };
}

const serversOf = ({ servers = ["postgres"] }: Suite): readonly string[] => servers;

/** A suite that runs on several systems is one of each. */
const reportName = ({ name }: Suite, { kind, title }: System): string =>
  kind === "postgres" ? name : `${name}, ${title}`;

async function readBaseline(): Promise<Baseline | undefined> {
  try {
    return parseBaseline(await readFile(BASELINE, "utf8"), BASELINE);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function keep(reports: readonly Report[], machine: Machine, options: BenchOptions): Promise<void> {
  const { json, markdown, isRecorded, isCompared } = options;
  const data = reports.length === 1 ? reports[0] : reports;
  if (json !== undefined) await writeFile(json, `${JSON.stringify(data, null, 2)}\n`);
  if (markdown !== undefined) {
    const text = await readFile(markdown, "utf8");
    await writeFile(markdown, replaceBetweenMarkers(text, renderMarkdown(reports, machine, text)));
  }
  if (!isRecorded && !isCompared) return;
  const baseline = await readBaseline();
  if (isCompared) {
    if (baseline === undefined) throw new Error("--compare: there is no baseline yet, write one with --record");
    print(
      `\n${renderTable(compareWith(baseline, reports))}\n\nBaseline: ${describe(baseline.machine)}; now: ${describe(machine)}`,
    );
  }
  if (isRecorded) await writeFile(BASELINE, `${JSON.stringify(record(reports, machine, baseline), null, 2)}\n`);
}

async function main(): Promise<void> {
  // clients take turns: without this V8 would throw away the code of those who wait, and they would begin cold each time
  setFlagsFromString("--no-flush-bytecode");
  const names = suites.map((suite) => suite.name);
  const options = parseOptions(process.argv.slice(2), names);
  if (options === "help") return print(usage(names));
  const here = { node: process.version, cores: availableParallelism() };
  print(
    `${describe({ ...here, server: undefined })}; ratio over 1 = better than the reference, median of ${options.rounds} rounds`,
  );
  const reports: Report[] = [];
  for (const kind of options.servers) {
    for (const suite of suites) {
      if (!options.suites.includes(suite.name) || !serversOf(suite).includes(kind)) continue;
      reports.push(await runSuite(suite, systems[kind], options));
    }
  }
  if (reports.length === 0) throw new Error("none of these suites runs on this system");
  const servers = new Set(reports.map(({ server }) => server).filter((server) => server !== undefined));
  const server = servers.size === 0 ? undefined : [...servers].join(", ");
  await keep(reports, { ...here, server }, options);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
}
// of the peers some leave timers and connections behind, and would keep the process for minutes
process.exit();
