import type { FailoverPool, PoolSession, ReservedConnection } from "@mirrorpool/core";
import type { Dialect } from "../dialect.ts";
import { JobError } from "../errors.ts";
import { type Checksum, isEqual, type Range, type Table } from "../model.ts";
import { comparable } from "../pair-tables.ts";
import { PATIENT, tell } from "../querier.ts";
import { move } from "../stream.ts";
import type { PlannedTable } from "./plan.ts";

/** What it takes to write one chunk, wherever that is done. */
export interface ChunkWork {
  readonly dialect: Dialect;
  readonly job: string;
  readonly generation: number;
  readonly chunk: number;
  readonly planned: PlannedTable;
  readonly source: Table;
  readonly target: Table;
  readonly range: Range;
  readonly stallMs: number;
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number) => void;
}

export interface ChunkResult {
  /** `copied`; `redone`, since it was of an earlier view and differed; `kept`, and did not; `done` already. */
  readonly what: "copied" | "redone" | "kept" | "done";
  readonly rows: number;
  readonly bytes: number;
}

/**
 * Writes one chunk in one transaction of the target, together with the note that it is written: whatever is lost on the way, and
 * whoever else is at it, its rows are there exactly once. May be called again as often as it takes.
 */
export async function copyChunk(work: ChunkWork, reader: ReservedConnection, to: FailoverPool): Promise<ChunkResult> {
  const session = await to.connect({ signal: work.signal });
  let isCommitted = false;
  try {
    const result = await write(work, reader, session);
    await tell(session, result.what === "done" ? "ROLLBACK" : "COMMIT", [], work.signal);
    isCommitted = true;
    return result;
  } finally {
    session.release(isCommitted ? "return" : "destroy");
  }
}

async function write(work: ChunkWork, reader: ReservedConnection, session: PoolSession): Promise<ChunkResult> {
  const { dialect, job, chunk, generation, source, target, range, signal } = work;
  const { state } = dialect;
  await tell(session, "BEGIN", [], signal);
  await tell(session, dialect.writerSettings.join("; "), [], signal);
  const claim = await state.claimChunk(session, job, chunk, generation);
  if (claim === "done") return { what: "done", rows: 0, bytes: 0 };
  if (claim === "superseded")
    throw new JobError("JOB_CONFLICT", `the job ${job} is being worked on by another process, which has taken it over`);
  if (claim === "stale") {
    const alike = comparable({ source, target });
    const [here, there] = await Promise.all([
      dialect.checksum(reader, alike.source, range, signal),
      checksumAside(dialect, session, alike.target, range, signal),
    ]);
    if (isEqual(here, there)) return { what: "kept", rows: here.rows, bytes: 0 };
    await dialect.deleteRange(session, target, range);
  }
  let bytes = 0;
  const onBytes = (count: number): void => {
    bytes += count;
    work.onBytes(count);
  };
  const rows = await pour(work, reader, session, onBytes);
  await state.noteChunk(session, job, chunk, rows, bytes);
  return { what: claim === "stale" ? "redone" : "copied", rows, bytes };
}

async function pour(
  { dialect, source, target, range, planned, stallMs, signal }: ChunkWork,
  reader: ReservedConnection,
  session: PoolSession,
  onBytes: (bytes: number) => void,
): Promise<number> {
  const { mark } = dialect;
  const { columns, form } = planned;
  await reader.query(mark.set, undefined, { ...PATIENT, signal });
  try {
    const rows = dialect.source(reader, source, range, form);
    const moved = await move(rows, dialect.sink(session, target, columns, form), { onBytes, stallMs, signal });
    // going back lets go of the table that was read: the server has room for some thousand locks
    for (const text of [mark.goBack, mark.remove]) await reader.query(text, undefined, { ...PATIENT, signal });
    return moved;
  } catch (error) {
    await reader.query(mark.goBack).catch(() => reader.release()); // it is of no use then
    throw error;
  }
}

/** Under the settings of a reader, which the rest of the transaction goes on without. */
async function checksumAside(
  { mark, readerSettings, checksum }: Dialect,
  session: PoolSession,
  table: Table,
  range: Range,
  signal: AbortSignal,
): Promise<Checksum> {
  await tell(session, mark.set, [], signal);
  await tell(session, readerSettings.join("; "), [], signal);
  const sum = await checksum(session, table, range, signal);
  await tell(session, mark.goBack, [], signal);
  return sum;
}
