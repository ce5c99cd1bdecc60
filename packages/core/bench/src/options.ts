import { parseArgs } from "node:util";
import type { ServerKind } from "@mirrorpool/lab";
import { systems } from "./systems/index.ts";

export interface BenchOptions {
  readonly suites: readonly string[];
  /** In the order in which they take part. */
  readonly servers: readonly ServerKind[];
  readonly json: string | undefined;
  /** Only cells with this in the name of their work or of a client. */
  readonly only: string;
  /** The file whose table is written anew. */
  readonly markdown: string | undefined;
  readonly isRecorded: boolean;
  readonly isCompared: boolean;
  readonly seconds: number;
  readonly rounds: number;
}

const SERVERS = Object.keys(systems) as ServerKind[]; // of a record

export function usage(suites: readonly string[]): string {
  return `npm run bench -- [options]
  --suite NAME   only this suite: ${suites.join(", ")} (may be given again)
  --server NAME  on which system: ${SERVERS.join(", ")} (may be given again; default postgres)
  --only TEXT    only cells with this in the name of their work or of a client
  --json FILE    write the figures as data
  --markdown FILE  write what the targets are held against as a table, between the two markers in FILE
  --record       keep the ratios as the baseline
  --compare      show the ratios beside those of the baseline
  --seconds N    for each client and round of a cell, 0.01 to 60 (default 0.15)
  --rounds N     that count, after one that warms up, 1 to 100 (default 20)`;
}

/** @throws {Error} that says what is wrong with the arguments */
export function parseOptions(args: readonly string[], known: readonly string[]): BenchOptions | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      suite: { type: "string", multiple: true },
      server: { type: "string", multiple: true, default: ["postgres"] },
      only: { type: "string", default: "" },
      json: { type: "string" },
      markdown: { type: "string" },
      record: { type: "boolean", default: false },
      compare: { type: "boolean", default: false },
      seconds: { type: "string", default: "0.15" },
      rounds: { type: "string", default: "20" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return "help";
  for (const name of values.suite ?? []) {
    if (!known.includes(name)) throw new Error(`--suite: expected one of ${known.join(", ")}, got "${name}"`);
  }
  for (const name of values.server) {
    if (!Object.hasOwn(systems, name)) {
      throw new Error(`--server: expected one of ${SERVERS.join(", ")}, got "${name}"`);
    }
  }
  const seconds = Number(values.seconds);
  if (!(seconds >= 0.01 && seconds <= 60)) {
    throw new Error(`--seconds: expected a number from 0.01 to 60, got "${values.seconds}"`);
  }
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) {
    throw new Error(`--rounds: expected a whole number from 1 to 100, got "${values.rounds}"`);
  }
  return {
    suites: known.filter((name) => values.suite?.includes(name) ?? true),
    servers: SERVERS.filter((name) => values.server.includes(name)),
    only: values.only,
    json: values.json,
    markdown: values.markdown,
    isRecorded: values.record,
    isCompared: values.compare,
    seconds,
    rounds,
  };
}
