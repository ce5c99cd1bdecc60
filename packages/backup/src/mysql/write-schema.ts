import { Readable } from "node:stream";
import type { ReservedConnection } from "@mirrorpool/core";
import { BackupError, messageOf } from "../errors.ts";
import { type FileFormat, fileEnding, writeFile } from "../format/file.ts";
import type { Manifest, StoredFile } from "../format/manifest.ts";
import type { SchemaChoice } from "../schema-choice.ts";
import { readDefinitions } from "./definitions/read-definitions.ts";
import { type Definition, toScript } from "./definitions/script.ts";

/** Writes the definitions as the server tells them. @throws {BackupError} `SCHEMA_FAILED` where they are wanted whole and are not */
export async function writeSchema(
  on: ReservedConnection,
  choice: Exclude<SchemaChoice, object>,
  format: FileFormat,
  signal: AbortSignal | undefined,
): Promise<Manifest["schema"]> {
  if (choice === false) return { isIncluded: false, reason: "it was not asked for" };
  const { before, after, missing } = await readDefinitions(on).catch((cause: unknown) => {
    signal?.throwIfAborted();
    throw on.isOpen
      ? new BackupError("SCHEMA_FAILED", `the definitions cannot be read: ${messageOf(cause)}`, { cause })
      : new BackupError("SOURCE_LOST", `the view of ${on.node} is gone`, { cause, retryable: true });
  });
  if (choice === true && missing.length > 0)
    throw new BackupError("SCHEMA_FAILED", `the definitions cannot be backed up whole: ${missing.join("; ")}`);
  const write = (section: "before" | "after", definitions: readonly Definition[]): Promise<StoredFile> => {
    const content = Readable.from([Buffer.from(toScript(definitions))]);
    return writeFile(format, `schema/${section}.sql${fileEnding(format)}`, content, signal);
  };
  return {
    isIncluded: true,
    before: await write("before", before),
    after: await write("after", after),
    ...(missing.length > 0 && { missing }),
  };
}
