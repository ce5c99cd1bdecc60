/** A listener of the application's threw: its mistake is told as a process warning, and breaks nothing of ours. */
export function listenerFailed(name: string, error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.emitWarning(`a listener of "${name}" threw: ${text}`, "MirrorpoolWarning");
}
