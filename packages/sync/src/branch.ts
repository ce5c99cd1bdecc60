/** A signal of one worker, which fires with that of all. */
export interface Branch {
  readonly signal: AbortSignal;
  /** The worker has ended. */
  end(): void;
}

/**
 * Listeners that overlap on one signal keep each other in memory until a full collection, also when they were removed: Node.js links
 * each with the one that came after it. So each worker of a job listens to a signal of its own, which the job's own is listened to for.
 */
export function branch(signal: AbortSignal): Branch {
  const own = new AbortController();
  const onAbort = (): void => own.abort(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  return { signal: own.signal, end: () => signal.removeEventListener("abort", onAbort) };
}
