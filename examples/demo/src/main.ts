import { writeFile } from "node:fs/promises";
import type { Figures } from "./judge.ts";
import { type FaultName, PLAIN, parseOptions, USAGE } from "./options.ts";
import { type Outcome, run } from "./run.ts";
import { systemOf } from "./system.ts";
import { FOOTNOTE, renderTable, titleOf } from "./table.ts";

const TITLES: Readonly<Record<FaultName, string>> = {
  kill: "kill -9 of the primary, and promotion of a mirror",
  freeze: "a frozen primary, promotion of a mirror, and the old primary waking up 5 s later",
  switchover: "a planned switchover",
};

const print = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options === "help") {
    print(USAGE);
    return 0;
  }
  const { database, clients, faults, workers } = options;
  const system = await systemOf(database);
  print(`${system.title} (${system.origin}), one primary and two synchronous mirrors, each behind a fault proxy.`);
  print(`The same order-taking application, at once and with ${workers} workers each, on: ${clients.join(", ")}.`);
  print(`${PLAIN[database]} has one address that follows the primary, all others are on mirrorpool.\n`);
  const runs: Figures[] = [];
  for (const fault of faults) {
    print(`── ${TITLES[fault]}`);
    const outcomes = await run(database, system, clients, fault, workers, print);
    for (const outcome of outcomes) printErrors(outcome);
    runs.push(...outcomes.map(({ figures }) => figures));
    print("");
  }
  for (const fault of faults) {
    print(`${TITLES[fault]}\n`);
    print(`${renderTable(runs.filter((each) => each.fault === fault))}\n`);
  }
  print(FOOTNOTE);
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify({ runs }, null, 2)}\n`);
  const broken = runs.filter((each) => each.client === "mirrorpool").flatMap(brokenPromises);
  for (const promise of broken) print(`BROKEN: ${promise}`);
  return broken.length === 0 ? 0 : 1;
}

/** What mirrorpool promises: measured, and told when it did not hold. */
function brokenPromises(run: Figures): string[] {
  const others = run.surfacedErrors - run.commitUnknown;
  const promises: [kept: boolean, what: string][] = [
    [run.lost === 0, `${run.lost} acknowledged writes lost`],
    [run.duplicated === 0, `${run.duplicated} writes duplicated`],
    [run.hung === 0, `${run.hung} operations hung`],
    [run.uncaught === 0, `${run.uncaught} uncaught exceptions`],
    [run.toSupersededPrimary === 0, `${run.toSupersededPrimary} writes acknowledged by the superseded primary`],
    [others === 0, `${others} errors other than CommitUnknownError`],
    [!run.exactlyOnce || run.surfacedErrors === 0, `${run.surfacedErrors} errors in spite of the commit ledger`],
    [run.fault !== "switchover" || run.surfacedErrors === 0, `${run.surfacedErrors} errors in a planned switchover`],
  ];
  return promises.filter(([isKept]) => !isKept).map(([, what]) => `${run.fault}, ${titleOf(run)}: ${what}`);
}

const ERRORS_SHOWN = 3;

/** What the application of a client was told. */
function printErrors({ figures, errors }: Outcome): void {
  const frequent = [...errors].sort(([, a], [, b]) => b - a);
  for (const [text, count] of frequent.slice(0, ERRORS_SHOWN)) print(`   ${titleOf(figures)}: ${count} × ${text}`);
  const others = frequent.slice(ERRORS_SHOWN).reduce((sum, [, count]) => sum + count, 0);
  if (others > 0) print(`   ${titleOf(figures)}: ${others} other errors`);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
}
