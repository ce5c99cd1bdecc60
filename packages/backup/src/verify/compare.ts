import { pipeline } from "node:stream/promises";
import type { Meter } from "@mirrorpool/sync/for-other-jobs";
import type { TargetDialect } from "../dialect.ts";
import { readFile } from "../format/file.ts";
import type { BackedUpTable } from "../format/manifest.ts";
import type { OpenedBackup } from "../format/repository.ts";
import { showTable } from "../table-names.ts";
import type { Target } from "../target/target.ts";
import { inParallel } from "../tasks.ts";
import type { Problem } from "./files.ts";
import { createRowDigester, RowDigest } from "./row-digest.ts";

/** Compares every row of a database with those of a backup, in the form that it has there. @returns the tables that are not the same */
export async function compareRows(
  dialect: TargetDialect,
  target: Target,
  { manifest, format }: OpenedBackup,
  jobs: number,
  meter: Meter,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const expected = manifest.tables.map(() => new RowDigest());
  const actual = manifest.tables.map(() => new RowDigest());
  const tables = manifest.tables.map((table, place) => ({ table, place, bytes: 0 }));
  for (const { table, bytes } of manifest.chunks) (tables[table] as { bytes: number }).bytes += bytes;
  meter.plan([...manifest.chunks, ...tables].map(({ bytes }) => bytes));
  meter.enter("compare");
  await inParallel(manifest.chunks, jobs, signal, async (chunk, stop) => {
    const { form } = manifest.tables[chunk.table] as BackedUpTable; // one for each chunk
    await readFile(format, chunk, createRowDigester(form, expected[chunk.table] as RowDigest), stop);
    meter.finish(chunk.bytes);
  });
  await inParallel(tables, jobs, signal, async ({ place, table, bytes }, stop) => {
    const connection = await target.pool.reserve({ on: "primary", signal: stop });
    try {
      await dialect.steps.prepare(connection, stop);
      const content = await dialect.readBack(connection, manifest, table, stop);
      content.on("data", (part: Buffer) => meter.move(part.length));
      await pipeline(content, createRowDigester(table.form, actual[place] as RowDigest), { signal: stop });
    } finally {
      connection.release();
    }
    meter.finish(bytes);
  });
  return manifest.tables.flatMap((table, place) => {
    const [one, other] = [String(expected[place]), String(actual[place])];
    if (one === other) return [];
    return [
      {
        file: dialect.quoteTable(table),
        message: `${showTable(table)}: ${other} in the database, ${one} in the backup`,
      },
    ];
  });
}
