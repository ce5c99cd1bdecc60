import { Report } from "./command.ts";
import { failovers } from "./failovers.ts";
import { huge } from "./huge.ts";
import { kills } from "./kills.ts";
import { roundTrip } from "./round-trip.ts";
import { tables } from "./tables.ts";

const PROOFS = { "round-trip": roundTrip, tables, huge, kills, failovers } as const;

// proofs of the data jobs at a size for which the tests have no time, with the command as it is published
const [name = "", size] = process.argv.slice(2);
const proof = Object.hasOwn(PROOFS, name) ? PROOFS[name as keyof typeof PROOFS] : undefined;
if (proof === undefined) {
  console.error(`which one: ${Object.keys(PROOFS).join(", ")}? A number after it is its size`);
  process.exitCode = 2;
} else {
  const report = new Report();
  await proof(report, size === undefined ? undefined : Number(size));
  report.end();
}
