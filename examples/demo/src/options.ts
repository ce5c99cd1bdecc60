import { parseArgs } from "node:util";

const FAULTS = ["kill", "freeze", "switchover"] as const;
export type FaultName = (typeof FAULTS)[number];

const ORMS = ["knex", "kysely", "typeorm", "prisma"] as const;
export type Orm = (typeof ORMS)[number];
const MIRRORED = ["mirrorpool", "exactly-once", ...ORMS] as const;
/** `exactly-once` is mirrorpool with its commit ledger; the ORMs have it too. */
export type MirroredName = (typeof MIRRORED)[number];

/** The database systems, each with the library that applications use there by itself. */
export const PLAIN = { postgres: "pg.Pool", mariadb: "mysql2", mysql: "mysql2" } as const;
export type DatabaseName = keyof typeof PLAIN;
export type PlainName = (typeof PLAIN)[DatabaseName];
const DATABASES = Object.keys(PLAIN) as DatabaseName[]; // they are its keys

export type ClientName = PlainName | MirroredName;

/** In the order of the tables. */
const clientsOn = (database: DatabaseName): readonly ClientName[] => [PLAIN[database], ...MIRRORED];

export interface DemoOptions {
  readonly database: DatabaseName;
  readonly faults: readonly FaultName[];
  readonly clients: readonly ClientName[];
  readonly json: string | undefined;
  /** For each client. */
  readonly workers: number;
}

export const USAGE: string = `npm run demo -- [options]
  --database NAME  ${DATABASES.join(", ")} (default postgres)
  --json FILE      write the figures as data
  --fault NAME     only this fault: ${FAULTS.join(", ")} (may be given again)
  --client NAME    only this client: ${clientsOn("postgres").join(", ")} (may be given again);
                   on MariaDB and MySQL ${PLAIN.mysql} in the place of ${PLAIN.postgres}
  --workers N      concurrent workers for each client, 1 to 50 (default 5)`;

/** @throws {Error} that says what is wrong with the arguments */
export function parseOptions(args: readonly string[]): DemoOptions | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      database: { type: "string", default: "postgres" },
      json: { type: "string" },
      fault: { type: "string", multiple: true },
      client: { type: "string", multiple: true },
      workers: { type: "string", default: "5" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return "help";
  const workers = Number(values.workers);
  if (!Number.isInteger(workers) || workers < 1 || workers > 50) {
    throw new Error(`--workers: expected a whole number from 1 to 50, got "${values.workers}"`);
  }
  const [database = "postgres"] = chosen("--database", [values.database], DATABASES);
  return {
    database,
    faults: chosen("--fault", values.fault, FAULTS),
    clients: chosen("--client", values.client, clientsOn(database)),
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
