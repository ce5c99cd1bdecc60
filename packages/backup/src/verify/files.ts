import type { Meter } from "@mirrorpool/sync/for-other-jobs";
import { BackupError } from "../errors.ts";
import { readFile } from "../format/file.ts";
import type { RowForm, StoredFile } from "../format/manifest.ts";
import { MANIFEST, type OpenedBackup } from "../format/repository.ts";
import { RowCounter } from "../format/rows.ts";
import { ALIVE } from "../run/liveness.ts";
import { PLAN } from "../run/unfinished.ts";
import { inParallel } from "../tasks.ts";

/** What is wrong with a file of a backup. */
export interface Problem {
  readonly file: string;
  readonly message: string;
}

/** Reads every file of a backup, and finds all that are not what the manifest says; and those that it does not name. */
export async function verifyFiles(
  { manifest, format }: OpenedBackup,
  jobs: number,
  meter: Meter,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  const note = (file: string, error: unknown): void => {
    if (!(error instanceof BackupError) || error.code !== "CORRUPT") throw error;
    problems.push({ file: `${format.folder}/${file}`, message: error.message });
  };
  const { schema, chunks } = manifest;
  const parts: readonly StoredFile[] = schema.isIncluded ? [schema.before, schema.after] : [];
  meter.plan(chunks.map(({ bytes }) => bytes));
  meter.enter("rows");
  const check = async (
    file: StoredFile,
    stop: AbortSignal | undefined,
    form: RowForm = "text",
    rows?: number,
  ): Promise<void> => {
    const counter = new RowCounter(form);
    await readFile(format, file, counter, stop, (bytes) => meter.move(bytes)).catch((error) => note(file.file, error));
    const isCounted =
      rows === undefined || counter.count === rows || problems.some((each) => each.file.endsWith(file.file));
    if (!isCounted)
      problems.push({
        file: `${format.folder}/${file.file}`,
        message: `${format.folder}/${file.file}: it has ${counter.count} rows, and ${rows} in the manifest`,
      });
  };
  for (const part of parts) await check(part, signal);
  await inParallel(chunks, jobs, signal, async (chunk, stop) => {
    await check(chunk, stop, manifest.tables[chunk.table]?.form, chunk.rows);
    meter.count(chunk.rows);
    meter.finish(chunk.bytes);
  });
  const known = new Set([MANIFEST, ALIVE, PLAN, ...[...parts, ...chunks].map(({ file }) => file)]);
  for (const { name } of await format.store.list(`${format.folder}/`, signal)) {
    const file = name.slice(format.folder.length + 1);
    if (!known.has(file)) problems.push({ file: name, message: `${name}: it does not belong to this backup` });
  }
  return problems;
}
