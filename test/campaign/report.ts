import type { Violation } from "./checks/check.ts";
import { judge } from "./checks/checks.ts";
import type { Evidence } from "./evidence.ts";
import type { SystemName } from "./system.ts";

/** What a campaign has found. */
export interface Report {
  readonly server: SystemName;
  readonly seed: number;
  readonly faults: number;
  readonly operations: number;
  readonly acknowledged: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly surfacedErrors: number;
  readonly unexplainedErrors: number;
  readonly hung: number;
  readonly uncaught: number;
  readonly staleEpochWrites: number;
  readonly violations: readonly Violation[];
}

/** Judges the evidence and counts. Pure. */
export function createReport(server: SystemName, seed: number, faults: number, evidence: Evidence): Report {
  const violations = judge(evidence);
  const count = (rule: Violation["rule"]): number => violations.filter((each) => each.rule === rule).length;
  const ended = (type: "acknowledged" | "failed"): number =>
    evidence.operations.filter(({ outcome }) => outcome?.type === type).length;
  return {
    server,
    seed,
    faults,
    operations: evidence.operations.length,
    acknowledged: ended("acknowledged"),
    lost: count("lost"),
    duplicated: count("duplicated"),
    surfacedErrors: ended("failed"),
    unexplainedErrors: count("unexplained error"),
    hung: count("hung"),
    uncaught: count("uncaught"),
    staleEpochWrites: count("stale epoch"),
    violations,
  };
}

/** Broken rules that are shown; all of them are in the report itself. */
const SHOWN = 20;

/** The figures and the first broken rules, for whoever has to find out why. */
export function formatReport({ violations, ...figures }: Report): string {
  const rows = Object.entries(figures).map(([name, value]) => `${name.padEnd(18)} ${value}`);
  const shown = violations.slice(0, SHOWN).map(({ rule, operation, what }) => {
    return `${rule}${operation === undefined ? "" : `, operation ${operation}`}: ${what}`;
  });
  const rest = violations.length - shown.length;
  return [...rows, `violations         ${violations.length}`, ...shown, ...(rest > 0 ? [`and ${rest} more`] : [])].join(
    "\n",
  );
}
