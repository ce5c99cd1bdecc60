import { execFile, spawn } from "node:child_process";
import { accessSync, constants, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { BackupError } from "../errors.ts";

/** A `pg_dump` that can read the server. */
export interface PgDump {
  readonly path: string;
  /** As it says it itself. */
  readonly version: string;
}

const DEBIAN_ROOT = "/usr/lib/postgresql";
const VERSION_MS = 10_000;

/** Finds one that is not older than the server: an older one refuses to work. @returns undefined, or why there is none */
export async function findPgDump(
  serverVersion: number,
  given: string | undefined,
): Promise<{ readonly found: PgDump } | { readonly found: undefined; readonly reason: string }> {
  const major = Math.floor(serverVersion / 10_000);
  const tooOld: string[] = [];
  for (const path of given === undefined ? candidates() : [given]) {
    const version = await versionOf(path);
    if (version === undefined) continue;
    if (Number(/\d+/.exec(version)?.[0]) >= major) return { found: { path, version } };
    tooOld.push(`${path} is ${version}`);
  }
  const what =
    tooOld.length === 0 ? `no pg_dump was found${given === undefined ? "" : ` at ${given}`}` : tooOld.join(", ");
  return { found: undefined, reason: `the server is PostgreSQL ${major}, and ${what}` };
}

function candidates(): readonly string[] {
  const debian = list(DEBIAN_ROOT)
    .sort((one, other) => Number(other) - Number(one))
    .map((version) => join(DEBIAN_ROOT, version, "bin", "pg_dump"));
  const onPath = (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "pg_dump"));
  return [...new Set([...debian, ...onPath])].filter(canRun);
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(path, ["--version"], { timeout: VERSION_MS });
    return /\d[\w.]*/.exec(stdout)?.[0];
  } catch {
    return undefined;
  }
}

/** Enough to say what went wrong, and bounded. */
const MAX_STDERR = 2000;

/**
 * Writes one part of the definitions as SQL, as the snapshot sees them. The password goes by the environment: arguments can be
 * read by everybody on the machine.
 */
export function dumpSchema(
  pgDump: PgDump,
  url: string,
  snapshot: string,
  section: "pre-data" | "post-data",
  signal: AbortSignal | undefined,
): { readonly sql: Readable; readonly ended: Promise<void> } {
  const { bare, password } = withoutPassword(url);
  const args = ["--schema-only", `--section=${section}`, `--snapshot=${snapshot}`, "--no-password", `--dbname=${bare}`];
  const child = spawn(pgDump.path, [...args, "--exclude-schema=mirrorpool_restore"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...(password !== undefined && { PGPASSWORD: password }) },
    ...(signal && { signal }),
  });
  let said = "";
  child.stderr.on("data", (part: Buffer) => {
    said = (said + part.toString()).slice(0, MAX_STDERR);
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, cause) => {
      if (code === 0) return resolve();
      const why = password === undefined ? said : said.replaceAll(password, "***");
      reject(new BackupError("SCHEMA_FAILED", `pg_dump ended with ${code ?? cause}: ${why.trim()}`));
    });
  });
  ended.catch(() => {}); // whoever reads the stream asks for it afterwards
  child.once("error", (error) => child.stdout.destroy(error));
  return { sql: child.stdout, ended };
}

/** libpq's own settings in the URL (`sslmode` and others) stay as they are. */
function withoutPassword(url: string): { readonly bare: string; readonly password: string | undefined } {
  const parsed = new URL(url);
  const inQuery = parsed.searchParams.get("password") ?? undefined;
  const password = parsed.password === "" ? inQuery : decodeURIComponent(parsed.password);
  parsed.password = "";
  parsed.searchParams.delete("password");
  return { bare: parsed.toString(), password };
}
