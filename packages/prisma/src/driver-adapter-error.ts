import { type ErrorCode, MirrorpoolError } from "@mirrorpool/core";

/** Kinds of errors that Prisma knows, each with the code that it makes of it. */
const CODES = {
  DatabaseNotReachable: "P1001",
  SocketTimeout: "P1008",
  ConnectionClosed: "P1017",
  TransactionWriteConflict: "P2034",
  TooManyConnections: "P2037",
} as const;

type Kind = keyof typeof CODES;

/**
 * Only what certainly had no effect may become a code that applications answer by trying again. Everything else, first of all
 * a write or COMMIT of unknown fate, keeps its own code, which Prisma passes on as it is.
 */
const KINDS: Readonly<Partial<Record<ErrorCode, Kind>>> = {
  NO_PRIMARY: "DatabaseNotReachable",
  NO_NODE: "DatabaseNotReachable",
  SPLIT_BRAIN: "DatabaseNotReachable",
  DEADLINE: "SocketTimeout",
  READ_LOST: "ConnectionClosed",
  TRANSACTION_LOST: "TransactionWriteConflict",
  REPLAY_MISMATCH: "TransactionWriteConflict",
  ACQUIRE_TIMEOUT: "TooManyConnections",
  QUEUE_FULL: "TooManyConnections",
};

/** Prisma's error of a driver adapter. It is known by its name: each adapter has a copy of the class. */
class DriverAdapterError extends Error {
  override readonly name = "DriverAdapterError";
  /** What Prisma reads. */
  override readonly cause: {
    readonly kind: Kind;
    readonly cause: string;
    readonly originalCode: ErrorCode;
    readonly originalMessage: string;
  };
  /** Of what fails at COMMIT Prisma reads nothing: it is passed on as it is. */
  readonly code: (typeof CODES)[Kind];
  /** The pool's own error. */
  readonly error: MirrorpoolError;

  constructor(kind: Kind, error: MirrorpoolError) {
    super(error.message);
    const { code, message } = error;
    this.cause = { kind, cause: message, originalCode: code, originalMessage: message };
    this.code = CODES[kind];
    this.error = error;
  }

  /** Where Prisma puts it when it makes an error of its own. No property of the instance, which would be a circle to loggers. */
  get meta(): { readonly driverAdapterError: DriverAdapterError } {
    return { driverAdapterError: this };
  }
}

/** Errors of the pool as Prisma understands them, where it has a code for them; all others, the database's among them, as they are. */
export function toDriverAdapterError(error: unknown): unknown {
  const kind = error instanceof MirrorpoolError ? KINDS[error.code] : undefined;
  return kind === undefined ? error : new DriverAdapterError(kind, error as MirrorpoolError);
}
