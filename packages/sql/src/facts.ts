/** Where a statement may run: `"read"` only when it is provably one. Doubt means `"write"`. */
export type Intent = "read" | "write";

/**
 * What a text does to the transaction.
 *
 * - `"prepare"` is `PREPARE TRANSACTION`, `"chain"` is `COMMIT` or `ROLLBACK` with `AND CHAIN`: it ends one and begins one.
 * - `"mixed"`: several statements of which at least one controls transactions, or a text that is not understood.
 *   Only the server knows where that leaves the session: ask the driver for its transaction status.
 */
export type TransactionEffect =
  | "none"
  | "begin"
  | "commit"
  | "rollback"
  | "savepoint"
  | "rollback-to"
  | "release"
  | "prepare"
  | "chain"
  | "mixed";

/**
 * What a text does to the session.
 *
 * - `"local"` matters in the current transaction only: `SET LOCAL`, `SET TRANSACTION`, `set_config(…, true)`.
 * - `"setting"` can be journalled and run again, as it is, on another connection: `SET`, `RESET`, `set_config(…, false)`.
 * - `"prepared"` makes or removes a prepared statement, which can be made again: `PREPARE`, `DEALLOCATE`.
 * - `"pinned"` makes state that cannot move to another connection, or might.
 */
export type SessionEffect = "none" | "local" | "setting" | "prepared" | "pinned";

/** What the text of a statement tells about it. Frozen; one object may be shared by many callers. */
export interface StatementFacts {
  /** `"read"` only when it is provably one; doubt means `"write"`. */
  readonly intent: Intent;
  /** What it does to the transaction. */
  readonly transaction: TransactionEffect;
  /**
   * Present and true where the transaction that is open before, if there is one, is committed first, whatever comes of the
   * statement itself: most definitions of MySQL, and its `BEGIN`. In a text of several statements it makes `transaction` `"mixed"`.
   */
  readonly implicitCommit?: true;
  /** What it does to the session. */
  readonly session: SessionEffect;
  /** Whether it may run between `BEGIN` and `COMMIT` and still mean the same. Doubt means `false`. */
  readonly transactional: boolean;
  /** Whether the text holds more than one statement. Empty ones do not count. */
  readonly multiple: boolean;
  /** Whether rows pass through a channel that cannot be run again: `COPY … STDIN`/`STDOUT`, cursors. */
  readonly stream: boolean;
  /**
   * The first keyword or keywords, upper case, for messages: `"SELECT"`, `"CREATE TABLE"`. Never user data.
   * `"EMPTY"` when there is no statement, `"UNKNOWN"` when the first word is no command, `"UNREADABLE"` when the text could not
   * be read. Of several statements, the first.
   */
  readonly command: string;
  /**
   * Present and true where it is provably without effect, and yet no read for a mirror, since its reader acts on what the
   * primary would answer: catalogues, `SHOW`, `version()`. It may be run again.
   */
  readonly repeatable?: true;
  /**
   * Present and true for a `BEGIN` in which a primary finds no mistake: it may be sent together with the statement after it.
   */
  readonly canWait?: true;
  /**
   * Present and true for a write after which its connection knows nothing that another one does not: an UPDATE or DELETE that calls no
   * function, and so moves no sequence whose `lastval()` could be asked for. A trigger is not seen.
   */
  readonly leavesNothing?: true;
  /** The savepoint that the statement makes, releases or rolls back to. */
  readonly savepoint?: string | undefined;
}

/** No statement at all, only space and comments. Nobody gains from a mirror answering that. */
export const EMPTY: StatementFacts = Object.freeze({
  intent: "write",
  transaction: "none",
  session: "none",
  transactional: true,
  multiple: false,
  stream: false,
  command: "EMPTY",
});

/** A text that could not be read (an unterminated literal, a NUL): the worst that it could be. */
export const UNREADABLE: StatementFacts = Object.freeze({
  intent: "write",
  transaction: "mixed",
  session: "pinned",
  transactional: false,
  multiple: false,
  stream: false,
  command: "UNREADABLE",
});
