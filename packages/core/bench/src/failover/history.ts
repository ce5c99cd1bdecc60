/** One write of the workload, as the application sees it. Times in milliseconds since the run began. */
export interface Told {
  readonly token: string;
  readonly startedAt: number;
  endedAt: number | undefined;
  /** What the application was told. */
  error: string | undefined;
}

/** One write, with what was found out of it in the end. */
export interface Write extends Readonly<Told> {
  /** The port of the server that acknowledged it; undefined for a write that failed, that is under way, or that is nowhere. */
  readonly server: number | undefined;
}

/** @param rows of all servers that run in the end, by their tokens: with the port of the server that took the write */
export function whoAcknowledged(writes: readonly Told[], rows: ReadonlyMap<string, number>): Write[] {
  return writes.map((write) => {
    const isAcknowledged = write.error === undefined && write.endedAt !== undefined;
    return { ...write, server: isAcknowledged ? rows.get(write.token) : undefined };
  });
}

/** What one client was told, and when. */
export interface Evidence {
  readonly writes: readonly Write[];
  readonly faultAt: number;
  /** When a direct connection could write on the promoted mirror. */
  readonly promotedAt: number;
  readonly endedAt: number;
  readonly newPrimary: number;
  /** Tokens on the new primary in the end. */
  readonly kept: ReadonlySet<string>;
}

/** What came of it. Times in milliseconds; undefined: not within the run. */
export interface Outcome {
  /** From the fault until a direct connection could write on the promoted mirror. */
  readonly promotionMs: number;
  /** From the fault until the first write on the new primary was acknowledged. */
  readonly firstWriteMs: number | undefined;
  /** The same from the promotion on. */
  readonly beyondMs: number | undefined;
  readonly errors: number;
  /** Without an answer for longer than {@link HUNG_MS}. */
  readonly hung: number;
  readonly longestMs: number;
  /** Acknowledged by the former primary after the promotion, and lost. */
  readonly superseded: number;
}

export const HUNG_MS = 2000;

/** Compares what the application was told with what is there. Pure. */
export function judge({ writes, faultAt, promotedAt, endedAt, newPrimary, kept }: Evidence): Outcome {
  const lasted = ({ startedAt, endedAt: end = endedAt }: Write): number => end - startedAt;
  const first = writes
    .filter(({ server }) => server === newPrimary)
    .reduce((least, { endedAt: end = Number.POSITIVE_INFINITY }) => Math.min(least, end), Number.POSITIVE_INFINITY);
  const isFound = Number.isFinite(first);
  return {
    promotionMs: promotedAt - faultAt,
    firstWriteMs: isFound ? first - faultAt : undefined,
    beyondMs: isFound ? first - promotedAt : undefined,
    errors: writes.filter(({ error }) => error !== undefined).length,
    hung: writes.filter((write) => lasted(write) > HUNG_MS).length,
    longestMs: writes.reduce((longest, write) => Math.max(longest, lasted(write)), 0),
    superseded: writes.filter(
      ({ server, endedAt: end = 0, token }) =>
        server !== undefined && server !== newPrimary && end > promotedAt && !kept.has(token),
    ).length,
  };
}
