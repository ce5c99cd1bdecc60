/** Takes bytes, at its own pace. */
export interface ByteTaker {
  /**
   * False: wait for `onDrain` before the next one.
   * @param onSent is called when the bytes are needed no more, by those that can tell
   */
  write(bytes: Uint8Array, onSent?: () => void): boolean;
  onDrain(listener: () => void): void;
}

/** Where rows go as bytes. */
export interface ByteSink extends ByteTaker {
  /** Resolves when bytes are welcome for the first time. */
  readonly ready: Promise<void>;
  /** All is there. Resolves with the rows that were written. */
  end(): Promise<number>;
  /** Cuts it off: nothing of it takes effect. */
  abort(): void;
  /** Rejects when the other side refuses the rows, or is lost. */
  readonly failed: Promise<never>;
}

/** Where rows come from as bytes. */
export interface ByteSource {
  /** Resolves with the number of rows when all were handed over. */
  pour(sink: ByteTaker, onBytes: (bytes: number) => void, signal: AbortSignal): Promise<number>;
}

/**
 * Moves all rows from one place to another. Whatever fails ends both sides.
 * @param stallMs ends it when no byte has moved for so long
 */
export async function move(
  source: ByteSource,
  sink: ByteSink,
  options: { readonly onBytes: (bytes: number) => void; readonly stallMs: number; readonly signal: AbortSignal },
): Promise<number> {
  const { signal, stallMs } = options;
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(() => stop.abort(new Stalled(stallMs)), stallMs);
  const onBytes = (bytes: number): void => {
    timer.refresh();
    options.onBytes(bytes);
  };
  sink.failed.catch((error: unknown) => stop.abort(error));
  try {
    await Promise.race([sink.ready, untilAborted(stop.signal)]);
    const sent = await source.pour(sink, onBytes, stop.signal);
    timer.refresh();
    const written = await Promise.race([sink.end(), untilAborted(stop.signal)]);
    if (written !== sent) throw new Error(`${sent} rows were read and ${written} written`);
    return written;
  } catch (error) {
    sink.abort();
    // what began it, and not what it brought about on the other side
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

/** No byte moved for too long. */
export class Stalled extends Error {
  override readonly name = "Stalled";
  constructor(afterMs: number) {
    super(`no byte has moved for ${afterMs} ms`);
  }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  const end = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  end.catch(() => {}); // the other side of a race may have ended before
  return end;
}
