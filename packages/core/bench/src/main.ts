import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { setFlagsFromString } from "node:v8";
import type { Row } from "./compare.ts";
import { compare } from "./compare.ts";
import { judge } from "./judge.ts";
import { type BenchOptions, parseOptions, usage } from "./options.ts";
import { renderFigures, renderTable, renderVerdicts } from "./render.ts";
import type { Figure, Suite } from "./suite.ts";
import { suites } from "./suites/index.ts";

interface Report {
  readonly suite: string;
  readonly rows: readonly Row[];
  readonly figures?: readonly Figure[];
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const note = (text: string): void => void process.stderr.write(`${text}\n`);

async function runSuite(suite: Suite, { rounds, seconds }: BenchOptions): Promise<Report> {
  print(`\n${suite.name}: ${suite.title}`);
  await using open = await suite.open();
  const rows: Row[] = [];
  for (const cell of open.cells) {
    note(`  ${cell.work}, callers ${cell.concurrency}`);
    rows.push(...(await compare(cell, { rounds, seconds, pace: suite.pace })));
  }
  print(`\n${renderTable(rows)}\n`);
  const figures = await open.figures?.();
  if (figures !== undefined) print(`${renderFigures(figures)}\n`);
  print(`Targets:\n${renderVerdicts(judge(rows, suite.targets))}`);
  return { suite: suite.name, rows, ...(figures && { figures }) };
}

async function main(): Promise<void> {
  // clients take turns: without this V8 would throw away the code of those who wait, and they would begin cold each time
  setFlagsFromString("--no-flush-bytecode");
  const names = suites.map((suite) => suite.name);
  const options = parseOptions(process.argv.slice(2), names);
  if (options === "help") return print(usage(names));
  print(
    `Node ${process.version}, ${availableParallelism()} CPUs; ratio over 1 = better than the reference, median of ${options.rounds} rounds`,
  );
  const reports: Report[] = [];
  for (const suite of suites) if (options.suites.includes(suite.name)) reports.push(await runSuite(suite, options));
  const data = reports.length === 1 ? reports[0] : reports;
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(data, null, 2)}\n`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
}
