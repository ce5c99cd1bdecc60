import { parseArgs } from "node:util";
import { soak } from "./soak.ts";

const { values } = parseArgs({
  options: { faults: { type: "string", default: "60" }, seed: { type: "string", default: "1" } },
});
const report = await soak({
  faults: Number(values.faults),
  seed: Number(values.seed),
  print: (text) => void process.stdout.write(`${text}\n`),
});
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
