/**
 * What went wrong, for callers that branch:
 *
 * | code | meaning |
 * |---|---|
 * | `invalid-option` | an option is out of range; nothing was started |
 * | `not-possible-here` | this machine lacks the ability (binaries, platform, right to mount); the message says which |
 * | `server-failed` | a database program failed; the message ends with the last lines of its log |
 * | `wrong-state` | the operation does not fit the node's state, for example `query` on a stopped node |
 * | `timeout` | a wait reached its deadline; the message says what was waited for |
 * | `aborted` | the caller's `AbortSignal` fired, or the cluster was closed during the wait |
 */
export type LabErrorCode =
  | "invalid-option"
  | "not-possible-here"
  | "server-failed"
  | "wrong-state"
  | "timeout"
  | "aborted";

/** Every error the lab itself raises. Errors of SQL statements are passed on as the database library gives them. */
export class LabError extends Error {
  override readonly name: string = "LabError";
  /** The kind of failure. */
  readonly code: LabErrorCode;
  /** The name of the node concerned, if it is about one. */
  readonly node: string | undefined;

  constructor(code: LabErrorCode, message: string, details: { node?: string; cause?: unknown } = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.node = details.node;
  }
}

/** The `code` of a Node system error or SQLSTATE error, or `undefined`. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
