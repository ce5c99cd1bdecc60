const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** What is to be done when the process ends: shared, because a process has one end, however many clusters it holds. */
const pending = new Set<() => void>();

/**
 * Runs `cleanUp` (synchronous) when this process ends: after its last line, on `process.exit`, an uncaught exception,
 * or a signal. @returns a function that takes it back
 */
export function onProcessEnd(cleanUp: () => void): () => void {
  if (pending.size === 0) {
    process.on("exit", cleanUpAll);
    for (const signal of SIGNALS) process.on(signal, endBySignal);
  }
  pending.add(cleanUp);
  return () => {
    if (pending.delete(cleanUp) && pending.size === 0) removeHandlers();
  };
}

function removeHandlers(): void {
  process.off("exit", cleanUpAll);
  for (const signal of SIGNALS) process.off(signal, endBySignal);
}

function cleanUpAll(): void {
  for (const cleanUp of [...pending]) {
    try {
      cleanUp();
    } catch (error) {
      // the others must have their turn
      process.stderr.write(`mirrorpool lab: cleaning up failed: ${String(error)}\n`);
    }
  }
}

function endBySignal(signal: NodeJS.Signals): void {
  // an application that handles the signal decides itself when it ends, and may need its databases until then
  if (process.listeners(signal).some((listener) => listener !== endBySignal)) return;
  cleanUpAll();
  removeHandlers();
  // once more without our handler: the process ends by this signal, as its parent expects
  process.kill(process.pid, signal);
}
