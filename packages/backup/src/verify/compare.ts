import { pipeline } from "node:stream/promises";
import type { ReservedConnection } from "@mirrorpool/core";
import { type QueryObject, submit } from "@mirrorpool/pg";
import { to as copyTo } from "pg-copy-streams";
import { readFile } from "../format/file.ts";
import type { OpenedBackup } from "../format/repository.ts";
import type { Meter } from "../progress.ts";
import { quoteTable, showTable } from "../source/names.ts";
import { copyStatement } from "../source/read-chunk.ts";
import { applySettings } from "../source/settings.ts";
import type { Target } from "../target/target.ts";
import { inParallel } from "../tasks.ts";
import type { Problem } from "./files.ts";
import { RowDigest, RowDigester } from "./row-digest.ts";

/** Compares every row of a database with those of a backup, as text. @returns the tables that are not the same */
export async function compareRows(
  target: Target,
  { manifest, format }: OpenedBackup,
  jobs: number,
  meter: Meter,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const expected = manifest.tables.map(() => new RowDigest());
  const actual = manifest.tables.map(() => new RowDigest());
  meter.expect(manifest.chunks.length, 1);
  meter.enter("compare");
  await inParallel(manifest.chunks, jobs, signal, async (chunk, stop) => {
    const digest = expected[chunk.table] as RowDigest; // one for each table
    await readFile(format, chunk, new RowDigester(digest), stop);
  });
  await inParallel(manifest.tables.entries(), jobs, signal, async ([place, table], stop) => {
    const connection = await target.pool.reserve({ on: "primary", signal: stop });
    try {
      await applySettings(connection, stop);
      await digestTable(connection, copyStatement(table), actual[place] as RowDigest, meter, stop);
    } finally {
      connection.release();
    }
  });
  return manifest.tables.flatMap((table, place) => {
    const [one, other] = [String(expected[place]), String(actual[place])];
    if (one === other) return [];
    return [
      { file: quoteTable(table), message: `${showTable(table)}: ${other} in the database, ${one} in the backup` },
    ];
  });
}

async function digestTable(
  connection: ReservedConnection,
  text: string,
  digest: RowDigest,
  meter: Meter,
  signal: AbortSignal,
): Promise<void> {
  const stream = copyTo(text, { highWaterMark: 1 << 18 });
  stream.on("error", () => {}); // also where nobody reads it any more
  const copying = submit(connection, stream as typeof stream & QueryObject & { text: string }, { signal });
  try {
    stream.on("data", (part: Buffer) => meter.addBytes(part.length));
    await pipeline(stream, new RowDigester(digest), { signal });
  } finally {
    if (!stream.readableEnded) connection.release();
    await copying;
  }
}
