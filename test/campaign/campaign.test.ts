import { expect, test } from "vitest";
import { Random } from "../simulation/random.ts";
import { DEFAULTS, runCampaign } from "./campaign.ts";
import { drawFaults } from "./faults/faults.ts";
import { formatReport } from "./report.ts";
import { SYSTEMS } from "./system.ts";
import { STEPS } from "./workload/transfer.ts";

const namesOf = (seed: number, count: number): string[] =>
  drawFaults(new Random(seed), count, SYSTEMS.postgres).map(({ name }) => name);

test("the same seed draws the same faults, and another one others", () => {
  expect(namesOf(7, 50)).toEqual(namesOf(7, 50));
  expect(namesOf(7, 50)).not.toEqual(namesOf(8, 50));
});

test.each([
  "kill -9, started again",
  "kill -9, a mirror promoted",
  "kill -9, a mirror promoted, and it comes back",
  "freeze, thawed after",
  "freeze, thawed when",
  "freeze, a mirror promoted, and it thaws",
  "immediate stop, started again",
  "immediate stop, a mirror promoted",
  "backends of the primary terminated",
  "backends of all nodes terminated",
  "COMMIT cut after",
  "COMMIT reset before it arrives",
  "COMMIT reset before its answer arrives",
  ...STEPS.flatMap((step) => [`half-open up at ${step}`, `half-open down at ${step}`]),
  "black hole around a mirror",
  "black hole around the primary, healed",
  "black hole around the primary, a mirror promoted, healed",
  "read-only",
  "promotion",
  "double failover, COMMIT half-open up",
  "double failover, COMMIT half-open down",
])("the default campaign has a fault of the kind: %s", (kind) => {
  expect(namesOf(DEFAULTS.seed, DEFAULTS.faults).filter((name) => name.startsWith(kind))).not.toEqual([]);
});

/** On PostgreSQL all kinds of fault, on the others as many as a minute allows; `npm run campaign` plays more of them. */
const campaigns = [
  { ...DEFAULTS },
  { server: "mariadb", faults: 20, seed: 1 },
  { server: "mysql", faults: 8, seed: 4 },
  { server: "galera", faults: 6, seed: 59 },
  { server: "group-replication", faults: 6, seed: 198 },
] as const;

test.each(campaigns)(
  "on $server under $faults faults, with the commit ledger, no error surfaces, and nothing is lost or done twice",
  {
    timeout: 600_000,
  },
  async (options) => {
    const lines: string[] = [];
    const report = await runCampaign({ ...options, print: (line) => void lines.push(line) });
    // it has worked under every fault
    expect(report.operations).toBeGreaterThan(options.faults * 10);
    expect(report, `${formatReport(report)}\n${lines.join("\n")}`).toEqual({
      ...options,
      operations: report.operations,
      acknowledged: report.operations,
      lost: 0,
      duplicated: 0,
      surfacedErrors: 0,
      unexplainedErrors: 0,
      hung: 0,
      uncaught: 0,
      staleEpochWrites: 0,
      violations: [],
    });
  },
);
