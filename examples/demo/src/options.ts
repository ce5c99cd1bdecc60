import { parseArgs } from "node:util";

const FAULTS = ["kill", "freeze", "switchover"] as const;
export type FaultName = (typeof FAULTS)[number];

/** `exactly-once` is mirrorpool with its commit ledger. */
const CLIENTS = ["pg.Pool", "mirrorpool", "exactly-once"] as const;
export type ClientName = (typeof CLIENTS)[number];

export interface DemoOptions {
  readonly faults: readonly FaultName[];
  readonly clients: readonly ClientName[];
  readonly json: string | undefined;
  readonly workers: number;
}

export const USAGE: string = `npm run demo -- [options]
  --json FILE      write the figures as data
  --fault NAME     only this fault: ${FAULTS.join(", ")} (may be given again)
  --client NAME    only this client: ${CLIENTS.join(", ")} (may be given again)
  --workers N      concurrent workers, 1 to 200 (default 20)`;

/** @throws {Error} that says what is wrong with the arguments */
export function parseOptions(args: readonly string[]): DemoOptions | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: "string" },
      fault: { type: "string", multiple: true },
      client: { type: "string", multiple: true },
      workers: { type: "string", default: "20" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return "help";
  const workers = Number(values.workers);
  if (!Number.isInteger(workers) || workers < 1 || workers > 200) {
    throw new Error(`--workers: expected a whole number from 1 to 200, got "${values.workers}"`);
  }
  return {
    faults: chosen("--fault", values.fault, FAULTS),
    clients: chosen("--client", values.client, CLIENTS),
    json: values.json,
    workers,
  };
}

function chosen<T extends string>(
  flag: string,
  given: readonly string[] | undefined,
  known: readonly T[],
): readonly T[] {
  for (const name of given ?? []) {
    if (!known.includes(name as T)) throw new Error(`${flag}: expected one of ${known.join(", ")}, got "${name}"`);
  }
  return given === undefined ? known : known.filter((name) => given.includes(name));
}
