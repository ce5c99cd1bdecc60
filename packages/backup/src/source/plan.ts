import type { RowForm } from "../format/manifest.ts";
import type { SourceTable } from "./catalogue.ts";

/** A table, and how its rows are going to be read. */
export interface PlannedTable extends SourceTable {
  readonly form: RowForm;
}

/** A range of a table's pages; the last one is open, since pages may have been added since. */
export interface PageRange {
  readonly from: number;
  readonly to: number | undefined;
}

/** A unit of work: a part of a table that becomes one file. */
export interface PlannedChunk {
  /** The place of its table. */
  readonly table: number;
  /** Undefined: the whole table. */
  readonly pages: PageRange | undefined;
  /** About how many bytes it takes on the server. */
  readonly weight: number;
}

const MEBIBYTE = 1024 ** 2;
/** Several for each connection, so that all of them end at about the same time, here and when it is restored. */
const PARTS = 32;

/** The size of chunks where none was asked for: a part of the whole, from 8 to 64 MiB. Pure. */
export function usualChunkBytes(tables: readonly Pick<SourceTable, "bytes">[]): number {
  const total = tables.reduce((sum, { bytes }) => sum + bytes, 0);
  return Math.min(64 * MEBIBYTE, Math.max(8 * MEBIBYTE, total / PARTS));
}

/**
 * Cuts tables into chunks of about this size, the largest first. A table without any page has no row that the snapshot sees, and no
 * chunk. Pure.
 */
export function planChunks(tables: readonly SourceTable[], chunkBytes: number): readonly PlannedChunk[] {
  const chunks = tables.flatMap((table, index) => cut(table, index, chunkBytes));
  return chunks.sort((one, other) => other.weight - one.weight);
}

function cut(table: SourceTable, index: number, chunkBytes: number): PlannedChunk[] {
  const { pages, bytes, isHeap } = table;
  if (pages === 0 && isHeap) return [];
  const count = isHeap ? Math.min(pages, Math.max(1, Math.round(bytes / chunkBytes))) : 1;
  if (count <= 1) return [{ table: index, pages: undefined, weight: bytes }];
  const bounds = Array.from({ length: count }, (_, part) => Math.floor((pages * part) / count));
  return bounds.map((from, part) => ({
    table: index,
    pages: { from, to: bounds[part + 1] },
    weight: Math.round(bytes / count),
  }));
}
