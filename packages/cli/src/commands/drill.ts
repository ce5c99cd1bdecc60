import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { PoolOptions } from "@mirrorpool/core";
import type { Context } from "../context.ts";
import { drill } from "../drill/drill.ts";
import { drillFaults } from "../drill/faults.ts";
import { drillPage } from "../drill/html.ts";
import { loadWorkload } from "../drill/workload.ts";
import { exitCodes, UsageError } from "../errors.ts";
import { count, duration, table } from "../output/format.ts";

export interface DrillFlags {
  readonly workload?: string;
  readonly faults?: string[];
  readonly mirrors: number;
  readonly callers: number;
  readonly calm: number;
  readonly synchronous?: boolean;
  readonly exactlyOnce?: boolean;
  readonly report: string;
}

/** Boots a cluster on this machine, puts a workload on it, lets everything go wrong, and writes a report. */
export async function runDrill(context: Context, flags: DrillFlags): Promise<void> {
  const { output, signal, world } = context;
  const workload = await loadWorkload(flags.workload, world.folder);
  const faults = chooseFaults(flags.faults);
  const { createCluster } = await import("@mirrorpool/lab").catch(() => {
    throw new UsageError("a drill needs @mirrorpool/lab: npm install --save-dev @mirrorpool/lab");
  });
  output.progress({ phase: "boot" }, 0, "a cluster is booted");
  const { mirrors, synchronous = false } = flags;
  await using cluster = await createCluster({ mirrors, synchronous, signal });
  const pool: Omit<PoolOptions, "driver" | "nodes"> = flags.exactlyOnce === true ? { exactlyOnce: true } : {};
  const report = await drill(cluster, {
    ...{ workload, name: flags.workload ?? "orders", callers: flags.callers, faults, calmMs: flags.calm, pool, signal },
    onPhase: (phase, share) => output.progress({ phase }, share, phase),
  });
  const [json, html] = [`${flags.report}.json`, `${flags.report}.html`].map((file) => resolve(world.folder, file)) as [
    string,
    string,
  ];
  await writeFile(json, `${JSON.stringify(report, undefined, 2)}\n`);
  await writeFile(html, drillPage(report));
  const { done, failed, problems } = report;
  output.result({ json, html, done, failed, codes: report.codes, problems, faults: report.faults }, () => {
    const rows = report.faults.map((each) => [
      each.name,
      duration(each.longestGapMs),
      count(each.done),
      count(each.failed),
    ]);
    const verdict = problems.length === 0 ? "the data is as it has to be" : problems.join("\n");
    return `${table(["fault", "longest pause", "done", "errors"], rows)}\n\n${count(done)} operations, ${count(failed)} errors; ${verdict}\n${html}\n${json}`;
  });
  if (problems.length > 0) context.exitCode = exitCodes.found;
}

function chooseFaults(names: readonly string[] | undefined) {
  if (names === undefined) return drillFaults;
  return names.map((name) => {
    const fault = drillFaults.find((each) => each.name === name);
    if (fault !== undefined) return fault;
    throw new UsageError(
      `--faults: expected ${drillFaults.map((each) => each.name).join(", ")}, got ${JSON.stringify(name)}`,
    );
  });
}
