import type { SideDialect } from "../dialect.ts";
import { rangesBetween, type Table, WHOLE } from "../model.ts";
import type { Querier } from "../querier.ts";
import type { Chunk } from "./plan.ts";

/** Most chunks of one table: more would be bookkeeping. */
const MAX_CHUNKS = 10_000;
/** Where bounds cannot be looked up in the key's index each chunk reads the whole table. */
const MAX_UNINDEXED_CHUNKS = 8;
/** Size of a row where the system has no estimate of how many there are. */
const TYPICAL_ROW_BYTES = 100;

/** So many for each connection end at about the same time; below this size a chunk costs more than it evens out. */
const CHUNKS_EACH = 4;
const LEAST_BYTES = 8_388_608;

/** The size of chunks, or less where so few would not keep all connections busy to the end. Pure. */
export function evenBytes(tables: readonly Table[], chunkBytes: number, connections: number): number {
  const total = tables.reduce((sum, { bytes }) => sum + bytes, 0);
  return Math.min(chunkBytes, Math.max(LEAST_BYTES, Math.ceil(total / (connections * CHUNKS_EACH))));
}

/**
 * Cuts the tables into chunks of about the same size, the biggest first.
 * @param indexedBytes the size where an index finds their bounds
 */
export async function planChunks(
  dialect: SideDialect,
  on: Querier,
  tables: readonly Table[],
  chunkBytes: number,
  signal: AbortSignal,
  indexedBytes: number = chunkBytes,
): Promise<readonly Chunk[]> {
  const chunks: Omit<Chunk, "id">[] = [];
  for (const [index, table] of tables.entries()) {
    const isIndexed = table.key?.every(({ order }) => order === "own") ?? false;
    const most = table.key === undefined ? 1 : isIndexed ? MAX_CHUNKS : MAX_UNINDEXED_CHUNKS;
    const pieces = Math.min(most, Math.ceil(table.bytes / (isIndexed ? indexedBytes : chunkBytes)));
    const rows = table.rows > 0 ? table.rows : table.bytes / TYPICAL_ROW_BYTES;
    const bounds = pieces < 2 ? [] : await dialect.splitRange(on, table, WHOLE, pieces, { rows, signal });
    const ranges = rangesBetween(bounds, WHOLE);
    for (const range of ranges) chunks.push({ table: index, range, weight: Math.ceil(table.bytes / ranges.length) });
  }
  return chunks.sort((one, other) => other.weight - one.weight).map((chunk, id) => ({ id, ...chunk }));
}
