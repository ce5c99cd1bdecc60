import { parseArgs } from "node:util";
import { soak } from "./soak.ts";

const USAGE = `npm run soak -- [options]

  --faults N   how many faults, one a second (default 60)
  --seed S     which faults (default 1)
`;

const { values } = parseArgs({
  options: {
    faults: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    help: { type: "boolean", short: "h" },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit();
}
const report = await soak({
  faults: Number(values.faults),
  seed: Number(values.seed),
  print: (text) => void process.stdout.write(`${text}\n`),
});
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
