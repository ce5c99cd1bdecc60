/** How a command ends, for scripts. */
export const exitCodes = {
  done: 0,
  /** The job failed; the message says why, and whether it can be begun again. */
  failed: 1,
  /** Wrong arguments or configuration: nothing was done. */
  usage: 2,
  /** A check has found something: a node that is missing, rows that differ, a damaged backup. */
  found: 3,
  /** The cluster cannot be reached, or has no primary. */
  unreachable: 4,
  /** Ended by Ctrl-C or SIGTERM; the same command goes on. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Wrong arguments or a wrong configuration. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const UNREACHABLE = new Set(["NO_PRIMARY", "NO_NODE", "SPLIT_BRAIN", "ACQUIRE_TIMEOUT", "DEADLINE"]);
const FOUND = new Set(["CORRUPT", "DIFFERENT", "UNFINISHED"]);

/** The exit code that an error means. */
export function exitCodeOf(error: unknown): ExitCode {
  const code = codeOf(error);
  if (error instanceof UsageError || code === "OPTIONS_INVALID") return exitCodes.usage;
  if (code === "ABORTED" || (error instanceof Error && error.name === "AbortError")) return exitCodes.interrupted;
  if (code !== undefined && UNREACHABLE.has(code)) return exitCodes.unreachable;
  if (code !== undefined && FOUND.has(code)) return exitCodes.found;
  return exitCodes.failed;
}

export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}
