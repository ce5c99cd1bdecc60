import type { PlannedChunk } from "../run/unfinished.ts";
import type { SourceTable } from "./catalogue.ts";

/** A range of a table's pages; the last one is open, since pages may have been added since. */
export interface PageRange {
  readonly from: number;
  readonly to: number | undefined;
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
  if (count <= 1) return [{ table: index, part: undefined, weight: bytes }];
  const bounds = Array.from({ length: count }, (_, part) => Math.floor((pages * part) / count));
  return bounds.map((from, part) => ({
    table: index,
    part: { from, to: bounds[part + 1] } satisfies PageRange,
    weight: Math.round(bytes / count),
  }));
}
