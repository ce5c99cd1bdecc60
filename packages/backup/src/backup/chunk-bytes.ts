const MEBIBYTE = 1024 ** 2;
/** Several for each connection, so that all of them end at about the same time, here and when it is restored. */
const PARTS = 32;

/** The size of chunks where none was asked for: a part of the whole, from 8 to 64 MiB. Pure. */
export function usualChunkBytes(tables: readonly { readonly bytes: number }[]): number {
  const total = tables.reduce((sum, { bytes }) => sum + bytes, 0);
  return Math.min(64 * MEBIBYTE, Math.max(8 * MEBIBYTE, total / PARTS));
}
