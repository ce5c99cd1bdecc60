import { createHash } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Site } from "../cluster/engine.ts";
import type { Account } from "../platform/account.ts";
import { copyTree } from "../platform/copy-tree.ts";
import { give, makeFolder, write } from "../platform/files.ts";
import { onceMade } from "../platform/once.ts";
import { runProgram } from "../platform/program.ts";
import type { Flavor } from "./flavor.ts";
import type { Programs } from "./programs.ts";
import { formatSettings, type Settings } from "./settings.ts";
import { quoteLiteral, quoteName } from "./sql.ts";

/** Where binary logs, relay logs and temporary files of a node are: apart from a disk that can be filled. */
export function logDirectoryOf({ run, name }: Site): string {
  return join(run, `${name}-logs`);
}

/** The statements with which a new data directory starts for the first time. */
export function initFileOf({ run, name }: Site): string {
  return join(run, `${name}-init.sql`);
}

/** A data directory that never was in use: made once and kept, because that takes longer than all else. */
export async function openBase(
  flavor: Flavor,
  programs: Programs,
  settings: Settings,
  account: Account | undefined,
  signal: AbortSignal,
): Promise<string> {
  const { folders, args, input } = flavor.initialization(programs);
  const options = formatSettings(settings);
  const parts = [programs.command, ...programs.prefix, programs.version, options, String(account?.uid), ...args];
  const digest = createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 12);
  const name = `${flavor.wanted.program}-${programs.version}-data-${digest}`;
  return onceMade(
    name,
    async (folder) => {
      const data = join(folder, "data");
      await makeFolder(data, account);
      for (const each of folders) await makeFolder(join(data, each), account);
      const file = join(folder, "options.cnf");
      await write(file, options, account);
      await runProgram(
        programs.command,
        [...programs.prefix, `--defaults-file=${file}`, ...programs.places, `--datadir=${data}`, ...args],
        { cwd: data, account, signal, input },
      );
      // the identity of one server: each copy makes its own
      await rm(join(data, "auto.cnf"), { force: true });
      await give(folder, account);
    },
    { signal },
  );
}

/**
 * Makes the data directory of a node, in place of what it has: a copy of `base`.
 * @param keepLocal makes the statements of its first start stay on this node
 */
export async function makeDataDirectory(
  site: Site,
  base: string,
  signal: AbortSignal | undefined,
  keepLocal = "SET sql_log_bin = 0",
): Promise<void> {
  const { directory, account, plan, superuser } = site;
  for (const entry of await readdir(directory)) await rm(join(directory, entry), { recursive: true, force: true });
  await rm(logDirectoryOf(site), { recursive: true, force: true });
  await makeFolder(logDirectoryOf(site), account);
  await copyTree(join(base, "data"), directory, { account, signal });
  // not into the binary log: each node does it itself, so that they all begin with an empty position
  const statements = [
    ...createUser(superuser),
    `GRANT ALL ON *.* TO ${quoteLiteral(superuser.user)}@'%' WITH GRANT OPTION`,
    `CREATE DATABASE IF NOT EXISTS ${quoteName(plan.database)}`,
    ...createUser(plan),
    // in the name of a database these two stand for others
    `GRANT ALL ON ${quoteName(plan.database.replaceAll(/[_%\\]/g, "\\$&"))}.* TO ${quoteLiteral(plan.user)}@'%'`,
  ];
  await write(initFileOf(site), [`${keepLocal};\n`, ...statements.map(encode)].join(""), account);
}

/** Makes the data directory of a node a copy of that of a stopped one. */
export async function becomeCopy(site: Site, of: Site, signal: AbortSignal): Promise<void> {
  for (const entry of await readdir(site.directory)) {
    await rm(join(site.directory, entry), { recursive: true, force: true });
  }
  await rm(initFileOf(site), { force: true });
  await copyTree(of.directory, site.directory, { account: site.account, signal });
}

function createUser({ user, password }: { readonly user: string; readonly password: string }): readonly string[] {
  return [`CREATE USER ${quoteLiteral(user)}@'%' IDENTIFIED BY ${quoteLiteral(password)}`];
}

/** As hexadecimal digits: the reader of such a file takes quotes in names and passwords for its own. */
function encode(statement: string): string {
  const digits = Buffer.from(statement).toString("hex");
  return `SET @statement = CONVERT(X'${digits}' USING utf8mb4);\nPREPARE statement FROM @statement;\nEXECUTE statement;\n`;
}
