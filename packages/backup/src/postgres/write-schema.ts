import type { PoolSource } from "@mirrorpool/core";
import { BackupError } from "../errors.ts";
import { type FileFormat, fileEnding, writeFile } from "../format/file.ts";
import type { Manifest, StoredFile } from "../format/manifest.ts";
import type { SchemaChoice } from "../schema-choice.ts";
import { urlOf } from "./address.ts";
import { dumpSchema, findPgDump, type PgDump } from "./pg-dump.ts";
import type { SharedSnapshot } from "./snapshot.ts";

type Schema = Manifest["schema"];

/** Writes the definitions as the snapshot sees them. @throws {BackupError} `SCHEMA_FAILED` unless it is `auto` */
export async function writeSchema(
  source: PoolSource,
  choice: SchemaChoice,
  snapshot: SharedSnapshot,
  format: FileFormat,
  signal: AbortSignal | undefined,
): Promise<Schema> {
  if (choice === false) return { isIncluded: false, reason: "it was not asked for" };
  const { pgDump: given, url } = typeof choice === "object" ? choice : {};
  const fail = (reason: string): Schema => {
    if (choice === "auto") return { isIncluded: false, reason };
    throw new BackupError("SCHEMA_FAILED", `the definitions cannot be backed up: ${reason}`);
  };
  const { node, serverVersion } = snapshot.source;
  const search = await findPgDump(serverVersion, given);
  if (search.found === undefined) return fail(search.reason);
  const address = (typeof url === "function" ? url(node) : url) ?? (await urlOf(source, node));
  if (address === undefined)
    return fail("pg_dump logs in by itself, and a pool that was given tells nobody its passwords: say schema.url");
  const write = (section: "pre-data" | "post-data"): Promise<StoredFile> =>
    writeSection(search.found, address, snapshot, format, section, signal);
  const [before, after] = await Promise.all([write("pre-data"), write("post-data")]).catch(async (error: unknown) => {
    signal?.throwIfAborted();
    await snapshot.requireAlive(error); // where the server is gone that is the reason
    throw error;
  });
  return { isIncluded: true, pgDump: search.found.version, before, after };
}

async function writeSection(
  pgDump: PgDump,
  url: string,
  snapshot: SharedSnapshot,
  format: FileFormat,
  section: "pre-data" | "post-data",
  signal: AbortSignal | undefined,
): Promise<StoredFile> {
  const { sql, ended } = dumpSchema(pgDump, url, snapshot.id, section, signal);
  const file = `schema/${section}.sql${fileEnding(format)}`;
  try {
    const stored = await writeFile(format, file, sql, signal);
    await ended;
    return stored;
  } catch (error) {
    await ended; // why it ended says more
    throw error;
  }
}
