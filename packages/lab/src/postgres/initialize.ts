import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { LabError } from "../errors.ts";
import type { Account } from "../platform/account.ts";
import { makeFolder, write } from "../platform/files.ts";
import { runProgram } from "../platform/program.ts";
import type { Binaries } from "./binaries.ts";
import { formatSettings, type Settings } from "./settings.ts";
import { quoteLiteral, quoteName } from "./sql.ts";

/** What a new data directory is to contain. */
export interface InitializeOptions {
  readonly binaries: Binaries;
  readonly account: Account | undefined;
  /** The run: where the programs work. */
  readonly cwd: string;
  readonly settings: Settings;
  readonly superuser: { readonly user: string; readonly password: string };
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly signal?: AbortSignal | undefined;
}

/** Where a node keeps its data. */
export interface Place {
  readonly directory: string;
  /** Where its WAL is, if not in the directory itself. */
  readonly walDirectory: string | undefined;
}

/**
 * Makes a data directory with all roles and the database in it, not started yet: copies of it are the nodes.
 *
 * The roles are made in single-user mode. That costs no port, and this first start writes the cluster's own `max_connections`
 * into the control file: without it a mirror with less than initdb's 100 would refuse to start.
 */
export async function initialize({ directory, walDirectory }: Place, options: InitializeOptions): Promise<void> {
  const { binaries, account, cwd, settings, signal } = options;
  if (walDirectory !== undefined) await makeFolder(walDirectory, account);
  await runProgram(
    binaries.initdb,
    // trust is only for the moment: pg_hba.conf is replaced below, before anything listens
    [
      ...["-D", directory, "-U", options.superuser.user, "-A", "trust", "-E", "UTF8", "--locale=C"],
      ...["--no-sync", "--no-instructions", "--wal-segsize=4"],
      ...(walDirectory ? ["-X", walDirectory] : []),
    ],
    { cwd, account, signal },
  );
  await write(join(directory, "pg_hba.conf"), HBA, account);
  await write(join(directory, "postgresql.conf"), formatSettings(settings), account);
  const statements = [
    `ALTER ROLE ${quoteName(options.superuser.user)} PASSWORD ${quoteLiteral(options.superuser.password)}`,
    `CREATE ROLE ${quoteName(options.user)} LOGIN PASSWORD ${quoteLiteral(options.password)}`,
    options.database === "postgres"
      ? `GRANT ALL ON DATABASE postgres TO ${quoteName(options.user)}`
      : `CREATE DATABASE ${quoteName(options.database)} OWNER ${quoteName(options.user)}`,
  ];
  const complaints = await runProgram(
    binaries.postgres,
    [
      "--single",
      "-D",
      directory,
      "-c",
      "synchronous_standby_names=",
      "-c",
      "log_min_error_statement=panic",
      "postgres",
    ],
    { cwd, account, signal, input: statements.map((statement) => `${statement};\n`).join("") },
  );
  // single-user mode ends with 0 also when a statement failed
  const error = complaints.split("\n").find((line) => line.includes("ERROR:"));
  if (error !== undefined) throw new LabError("server-failed", `preparing the database failed: ${error}`);
}

/** Passwords count for everybody, so that a wrong one fails as it does in production. */
const HBA = `host all all 127.0.0.1/32 scram-sha-256
host replication all 127.0.0.1/32 scram-sha-256
`;

/** Makes the folder of the WAL: in the data directory, or linked from there. */
export async function placeWal({ directory, walDirectory }: Place, account: Account | undefined): Promise<void> {
  const path = walDirectory ?? join(directory, "pg_wal");
  await makeFolder(path, account);
  if (walDirectory !== undefined) await symlink(walDirectory, join(directory, "pg_wal"));
}
