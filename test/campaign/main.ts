import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { DEFAULTS, runCampaign } from "./campaign.ts";
import { formatReport } from "./report.ts";
import { SYSTEMS, type SystemName } from "./system.ts";

const USAGE = `npm run campaign -- [options]

  --server S   postgres, mariadb, mysql, galera or group-replication (default ${DEFAULTS.server})
  --faults N   how many faults (default ${DEFAULTS.faults})
  --seed S     which faults, with which parameters (default ${DEFAULTS.seed})
  --json FILE  writes the report to a file as well

Ends with 1 when an error reached the application, or a rule was broken.`;

/** @throws {Error} when it is no whole number */
function toNumber(name: string, value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0) throw new Error(`--${name}: expected a whole number, got "${value}"`);
  return number;
}

/** @throws {Error} when it is none */
function toServer(value: string): SystemName {
  if (value in SYSTEMS) return value as SystemName; // they are its keys
  throw new Error(`--server: expected one of ${Object.keys(SYSTEMS).join(", ")}, got "${value}"`);
}

const { values } = parseArgs({
  options: {
    server: { type: "string", default: DEFAULTS.server },
    faults: { type: "string", default: String(DEFAULTS.faults) },
    seed: { type: "string", default: String(DEFAULTS.seed) },
    json: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) console.log(USAGE);
else {
  const report = await runCampaign({
    server: toServer(values.server),
    faults: toNumber("faults", values.faults),
    seed: toNumber("seed", values.seed),
    print: (line) => console.log(line),
  });
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
  console.log(formatReport(report));
  process.exitCode = report.violations.length === 0 && report.surfacedErrors === 0 ? 0 : 1;
}
