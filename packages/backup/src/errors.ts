/** Every error that this package makes. Those of the pool and of the database reach the caller as they are. */
export const backupErrorCodes = {
  NOT_SUPPORTED: "the database, or what it holds, cannot be backed up by this package",
  NO_TABLES: "the chosen tables are not there",
  SCHEMA_FAILED: "the definitions that were asked for could not be had: no fitting pg_dump, or no right to read them",
  SOURCE_LOST: "the snapshot was lost with its server on every attempt",
  STORE_FAILED: "the folder or bucket could not be read or written",
  NOT_FOUND: "there is no such backup",
  UNFINISHED: "the backup was not finished, or its run is still under way",
  CORRUPT: "a file of the backup is missing, truncated, tampered with or belongs to another backup",
  KEY_REQUIRED: "the backup is encrypted and no key was given",
  KEY_WRONG: "the key does not open the backup",
  CODEC_MISSING: "this version of Node.js cannot read the compression of the backup",
  TARGET_NOT_EMPTY: "the target holds something, and nothing was said of that",
  TARGET_LACKS: "a table or column of the backup is not in the target",
  TARGET_MARKED: "the target holds an unfinished restore of another backup",
  TARGET_BUSY: "another restore into the target is under way",
  TARGET_LOST: "the target was lost on every attempt; the restore can be resumed",
  REFUSED: "the database refused a statement or a row",
  LOSS: "the target's system cannot hold a type or a value of the backup as it is",
  DIFFERENT: "what was restored is not what was backed up",
} as const;

export type BackupErrorCode = keyof typeof backupErrorCodes;

/** What a job of this package ends with. Never holds a password or a key, and none but `LOSS` a row's values. */
export class BackupError extends Error {
  override readonly name = "BackupError";
  readonly code: BackupErrorCode;
  /** What was tried certainly left nothing behind that keeps it from being tried again as it is. */
  readonly retryable: boolean;
  /** The file, table or statement that it is about. */
  readonly subject: string | undefined;

  constructor(
    code: BackupErrorCode,
    message: string,
    details: { readonly cause?: unknown; readonly retryable?: boolean; readonly subject?: string | undefined } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryable = details.retryable ?? false;
    this.subject = details.subject;
  }
}

/** Steps of a restore are gone that were done: a failover or a crash took them back. It goes over the whole again. */
export class TakenBackError extends BackupError {
  constructor(what: string) {
    super("TARGET_LOST", `a failover or a crash took back ${what}`, { retryable: true });
  }
}

/** The one line of an unknown error that may be shown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
