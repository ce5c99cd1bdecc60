import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type Mutant, mutants } from "./mutants.ts";

/** Most are found within a hundred; the search ends with the first. */
const SEEDS = 3000;

/** Where the search goes through all seeds, on a machine that has other things to do as well. */
const DEADLINE_MS = 300_000;

const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** Runs the simulation in a process of its own, on a core that is broken on purpose. */
function simulateMutant({ name, first = 1 }: Mutant): Promise<{ readonly exitCode: number; readonly report: string }> {
  const preload = ["--conditions=mirrorpool-source", "--import", pathOf("./apply.ts")];
  const args = [...preload, pathOf("../main.ts"), "--first", String(first), "--seeds", String(SEEDS)];
  const options = { env: { ...process.env, SIMULATION_MUTANT: name }, maxBuffer: 64 * 1024 * 1024 };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, options, (_, stdout, stderr) => {
      const [report = ""] = stdout.split("replay:"); // the trace comes after
      resolve({ exitCode: child.exitCode ?? -1, report: report + stderr });
    });
  });
}

test.each(mutants)("the simulation notices when $name", { timeout: DEADLINE_MS }, async (mutant) => {
  const { rules } = mutant;
  const { exitCode, report } = await simulateMutant(mutant);
  expect(
    rules.filter((rule) => report.includes(`: ${rule}: `)),
    report,
  ).not.toEqual([]);
  expect(exitCode).toBe(1);
});
