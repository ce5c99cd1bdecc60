import { parseArgs } from "node:util";
import { findFailure, formatFailure, tryOut } from "./trial.ts";

const USAGE = `npm run simulate -- [options]

  --seeds N   how many seeds to try, from the first one on (default 1000)
  --first F   the first seed (default 1)
  --seed S    replays one seed and prints its whole trace

Ends with 1 at the first seed that breaks a rule, after printing the violations and the trace.`;

const PROGRESS_EVERY = 1000;

/** @throws {Error} when it is no whole number */
function toNumber(name: string, value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0) throw new Error(`--${name}: expected a whole number, got "${value}"`);
  return number;
}

async function replay(seed: number): Promise<boolean> {
  const trial = await tryOut(seed);
  const isKept = trial.violations.length === 0;
  console.log(isKept ? `${trial.trace()}\nseed ${seed} keeps all rules` : formatFailure(trial));
  return isKept;
}

async function search(first: number, count: number): Promise<boolean> {
  const startedAt = performance.now();
  const seconds = (): string => ((performance.now() - startedAt) / 1000).toFixed(1);
  const failure = await findFailure(first, count, (done) => {
    if (done % PROGRESS_EVERY === 0) console.log(`${done} of ${count} seeds, ${seconds()} s`);
  });
  if (failure === undefined) console.log(`${count} seeds from ${first} on keep all rules, ${seconds()} s`);
  else console.log(formatFailure(failure));
  return failure === undefined;
}

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    first: { type: "string", default: "1" },
    seed: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) console.log(USAGE);
else {
  const isKept =
    values.seed === undefined
      ? await search(toNumber("first", values.first), toNumber("seeds", values.seeds))
      : await replay(toNumber("seed", values.seed));
  process.exitCode = isKept ? 0 : 1;
}
