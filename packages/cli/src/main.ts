#!/usr/bin/env node
import v8 from "node:v8";
import { exitCodes } from "./errors.ts";
import { runCommand } from "./run.ts";

// V8 lets garbage pile up to four times what is in use, and new objects take what they like: a job over ten thousand tables
// would take 400 MB, and needs half of that
for (const flag of ["--heap-growing-percent=100", "--semi-space-growth-factor=1"]) v8.setFlagsFromString(flag);

const stop = new AbortController();
let asked = 0;
for (const name of ["SIGINT", "SIGTERM"] as const)
  process.on(name, () => {
    asked += 1;
    // the second time nothing is waited for; what was done stays done all the same
    if (asked > 1) process.exit(exitCodes.interrupted);
    stop.abort(new Error(`ended by ${name}`));
  });

const { stdout, stderr } = process;
process.exitCode = await runCommand({
  ...{
    args: process.argv.slice(2),
    folder: process.cwd(),
    environment: process.env,
    signal: stop.signal,
    stdout,
    stderr,
  },
});
