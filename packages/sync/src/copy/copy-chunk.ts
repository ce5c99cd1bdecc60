import type { FailoverPool, PoolSession, ReservedConnection } from "@mirrorpool/core";
import type { Bridge } from "../dialects.ts";
import { JobError } from "../errors.ts";
import { isEqual, type Range, type Table } from "../model.ts";
import { comparable } from "../pair-tables.ts";
import { tell } from "../querier.ts";
import { move } from "../stream.ts";
import type { PlannedTable } from "./plan.ts";

/** What it takes to write one chunk, wherever that is done. */
export interface ChunkWork {
  readonly bridge: Bridge;
  readonly job: string;
  readonly generation: number;
  /** The reader has the very view that the copy is of; else what it has read is compared with that afterwards. */
  readonly isSameView: boolean;
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
  /** Not to be compared any more. */
  readonly isFinal: boolean;
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
  const { bridge, job, chunk, generation, isSameView, source, target, range, signal } = work;
  const { state } = bridge.target;
  await bridge.target.beginLoad(session, signal);
  const claim = await state.claimChunk(session, job, chunk, generation);
  if (claim === "done") return { what: "done", isFinal: true, rows: 0, bytes: 0 };
  if (claim === "superseded")
    throw new JobError("JOB_CONFLICT", `the job ${job} is being worked on by another process, which has taken it over`);
  if (claim === "stale") {
    const alike = comparable({ source, target, losses: [] });
    const [here, there] = await Promise.all([
      bridge.source.checksum(reader, alike.source, range, signal),
      bridge.target.asReader(session, () => bridge.target.checksum(session, alike.target, range, signal), signal),
    ]);
    if (isEqual(here, there)) {
      if (!isSameView) await state.markEarlier(session, job, chunk);
      return { what: "kept", isFinal: isSameView, rows: here.rows, bytes: 0 };
    }
    await bridge.target.deleteRange(session, target, range);
  }
  let bytes = 0;
  const onBytes = (count: number): void => {
    bytes += count;
    work.onBytes(count);
  };
  const rows = await pour(work, reader, session, onBytes);
  await state.noteChunk(session, job, chunk, rows, bytes);
  if (!isSameView) await state.markEarlier(session, job, chunk);
  return { what: claim === "stale" ? "redone" : "copied", isFinal: isSameView, rows, bytes };
}

function pour(
  { bridge, source, target, range, planned, stallMs, signal }: ChunkWork,
  reader: ReservedConnection,
  session: PoolSession,
  onBytes: (bytes: number) => void,
): Promise<number> {
  const { columns, form } = planned;
  const work = (): Promise<number> => {
    const rows = bridge.source.source(reader, source, range, form);
    return move(rows, bridge.target.sink(session, target, columns, form), { onBytes, stallMs, signal });
  };
  return bridge.source.guard(reader, work, signal);
}
