import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** `DB_SHUTDOWNED` of the enum DBState in PostgreSQL's catalog/pg_control.h. */
const SHUT_DOWN = 1;

/** What a stopped server wrote last. */
export interface ControlFile {
  /** Whether a primary was shut down in good order: everything it ever wrote lies before `checkpoint`. */
  readonly isShutDown: boolean;
  /** The position of the last checkpoint record, as PostgreSQL writes LSNs. */
  readonly checkpoint: string;
}

/**
 * Reads global/pg_control, as not every installation has `pg_controldata`. These first fields have had their
 * places in all versions since 11: system identifier (8 bytes), two versions (4 each), state (4), padding, time (8), checkpoint.
 */
export async function readControlFile(directory: string): Promise<ControlFile> {
  const file = await readFile(join(directory, "global", "pg_control"));
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  // the supported platforms are all little-endian
  const [low, high] = [view.getUint32(32, true), view.getUint32(36, true)];
  return {
    isShutDown: view.getUint32(16, true) === SHUT_DOWN,
    checkpoint: `${high.toString(16)}/${low.toString(16)}`.toUpperCase(),
  };
}
