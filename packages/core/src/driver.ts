/**
 * The port between the core and a database library. A driver is the only code that knows SQL dialects, error codes and
 * the library's own objects; the core sees statements, results, observations and faults.
 */

/**
 * What a statement's rows pass through while it runs: a cursor, a stream, COPY. Made by whoever hands the rows out, filled by
 * the driver's connection.
 */
export interface Channel {
  /**
   * Resolves when the server has begun to answer. From then on the caller sets the pace: the call's deadline bounds the time
   * until here, and its signal all of it.
   */
  readonly opened: Promise<void>;
  /** The server has begun to answer: the statement cannot be run again unnoticed. */
  readonly isOpen: boolean;
}

/** One statement as the caller wrote it. Drivers may accept more fields (a name, a row mode) and read them from here. */
export interface Statement {
  readonly text: string;
  readonly values?: readonly unknown[];
  /** For a statement whose result is not to be collected. */
  readonly channel?: Channel;
  readonly [driverField: string]: unknown;
}

/** What a statement answered. Drivers may return a richer object, such as the library's own result. */
export interface Result<Row = Record<string, unknown>> {
  readonly rows: Row[];
  /** Rows affected or returned; null where the command has no count. */
  readonly rowCount: number | null;
  /** All results of a text with several statements, whose last one this is. */
  readonly results?: readonly Result[];
  readonly fields?: readonly { readonly name: string }[];
  /** The command tag's first word, such as `SELECT` or `COMMIT`; a COMMIT answered with `ROLLBACK` was a rollback. */
  readonly command: string;
  /** The id that the server gave to a row and told beside the rows, where there is such a thing. */
  readonly insertId?: unknown;
}

/** What is known of a statement from its text alone. Doubt means `write`. */
export interface StatementFacts {
  readonly intent: "read" | "write";
  readonly transaction:
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
   * The transaction that is open before, if there is one, is committed first, whatever comes of the statement itself: most
   * definitions of some systems, and their BEGIN.
   */
  readonly implicitCommit?: boolean;
  /**
   * `setting` and `prepared` can be carried to another connection, see {@link SessionStates}; a setting may be made on a
   * mirror, a statement is prepared on the primary. `local` ends with the transaction, `pinned` cannot move.
   */
  readonly session: "none" | "setting" | "prepared" | "local" | "pinned";
  /** The savepoint that the statement makes, releases or rolls back to. */
  readonly savepoint?: string | undefined;
  /** False for what cannot run inside a transaction block, or controls transactions itself. */
  readonly transactional: boolean;
  /** Provably without effect, though only the primary may answer: catalogues, the server's own state. It may be run again. */
  readonly repeatable?: boolean;
  /** A write after which its connection knows nothing that another one does not, such as a value that was generated. */
  readonly leavesNothing?: boolean;
  /** A BEGIN in which a primary finds no mistake: it may be sent together with the statement after it. */
  readonly canWait?: boolean;
  /** More than one statement in the text. */
  readonly multiple: boolean;
  /** Rows pass through a channel that cannot be run again: COPY, cursors. */
  readonly stream: boolean;
  /** First words in upper case, for messages; `UNKNOWN` where the first is no command at all. Never user data. */
  readonly command: string;
}

/** What a probe saw on a node, in one round trip. */
export interface Observation {
  /** Of a mirror: false where it certainly applies nothing of another node, as a primary does not that was made read-only. */
  readonly isFollowing?: boolean | undefined;
  /** What the node says of itself; `mirror` means that it is in recovery or follows another node. */
  readonly role: "primary" | "mirror";
  /**
   * A mirror that takes writes like all others that say so: nobody promotes one, the pool settles on one of them. That is then
   * the primary for all rules, and writable.
   */
  readonly isPeer?: boolean;
  /** False where the node takes no writes although it is no mirror (a read-only switch). */
  readonly isWritable: boolean;
  /** Identity of the replicated cluster; nodes with another one are never the same cluster. */
  readonly systemId: string;
  /** Identity of the running server process; two addresses with the same instance are one server. */
  readonly instance: string;
  /** Grows with each promotion. Undefined where the system has none, or where it cannot be known for certain. */
  readonly timeline: number | undefined;
  /** How far a primary has written, or a mirror has replayed. Opaque; compared by {@link Positions}. */
  readonly position: string | undefined;
  /**
   * How far a primary had replayed the former timeline when it was promoted: all positions of that timeline up to here were
   * kept. Undefined where that is not known; looked at only when the same process was a mirror before.
   */
  readonly endOfRecovery?: string | undefined;
  /**
   * Of a claim to be primary, where there is no timeline: what {@link Positions.supersedes} tells two claims apart by. Opaque.
   */
  readonly history?: string | undefined;
  /** The primary itself acknowledges a commit only once a mirror has it. */
  readonly isSynchronous?: boolean;
}

/** How a driver's positions compare. All functions are pure. */
export interface Positions {
  /** True when a node at `position` has everything up to `other`. */
  covers(position: string, other: string): boolean;
  /** Bytes from `behind` to `ahead`, where the system can tell. */
  distanceBytes(ahead: string, behind: string): number | undefined;
  /**
   * True when the claim with the first history is certainly the later one: its node has followed the other one up to what that
   * wrote last itself, and has written since. That it merely has more proves nothing: so has an old primary whose last writes were
   * never mirrored. Doubt means false. Absent where timelines tell.
   */
  supersedes?(history: string, other: string): boolean;
  /**
   * True when the node with the first history has certainly followed the other claim: mostly, since it has more of what that has
   * written itself than that had when it was last seen. Doubt means false. Absent where timelines tell.
   */
  hasFollowed?(history: string, other: string): boolean;
}

/**
 * An error in the core's terms, found from its code and never from its text.
 *
 * | kind | meaning |
 * |---|---|
 * | `statement` | an ordinary answer of the server: the connection is as good as before |
 * | `stale` | refused before any effect because of what the driver had kept on the connection; the open transaction has failed |
 * | `rolled-back` | the server undid the transaction (deadlock, serialization failure) |
 * | `read-only` | refused before any effect: this node takes no writes |
 * | `not-ready` | refused before any effect: starting up, shutting down |
 * | `overloaded` | refused before any effect: too many connections |
 * | `configuration` | refused: password, database name, TLS; trying again changes nothing |
 * | `refused` | nobody listens at the address: positive evidence that the process is gone |
 * | `unreachable` | no way to the address, or no such name |
 * | `gone` | an established connection was lost |
 * | `silent` | no answer in time |
 * | `outcome-unknown` | the server itself says that it cannot tell |
 */
export interface Fault {
  readonly kind:
    | "statement"
    | "stale"
    | "rolled-back"
    | "read-only"
    | "not-ready"
    | "overloaded"
    | "configuration"
    | "refused"
    | "unreachable"
    | "gone"
    | "silent"
    | "outcome-unknown";
  /** SQLSTATE, errno or the system's error code, where there is one. */
  readonly code: string | undefined;
  /** What the code means, in words for messages: where somebody has to mend something. Never a part of the error's own text. */
  readonly meaning?: string;
}

/** Where and as whom a driver shall connect. */
export interface ConnectTarget {
  readonly node: string;
  readonly host: string;
  readonly port: number;
  readonly database: string | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Passed through to the database library as it is. */
  readonly tls: unknown;
  readonly applicationName: string;
  /** Settings of the URL's query string, passed through to the database library. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** One real connection. Statements are run one after the other; the pool never asks for two at once. */
export interface Connection {
  /**
   * Runs one statement and resolves with the library's result. Settles only when the server is ready for the next one, or
   * the connection is lost: `status` is then the state after the statement, also where it failed.
   * @throws {NotSentError} when certainly no byte of it left; else the library's own error.
   */
  run(statement: Statement): Promise<Result>;
  /**
   * Runs a read outside a transaction behind those that are under way here, without waiting for their end; the answers come in
   * order. Absent where the library cannot do that. Never mixed with `run` and `begin`: the connection is idle before and after.
   * @throws as `run` does
   */
  readonly pipeline?: ((statement: Statement) => Promise<Result>) | undefined;
  /**
   * What the protocol last said: `idle` is outside a transaction, `failed` a transaction that only takes a rollback,
   * `busy` an answer still to come, `closed` no connection.
   */
  readonly status: "idle" | "transaction" | "failed" | "busy" | "closed";
  /** Whether a transaction was open when the server last answered: also when the connection was lost right after that. */
  readonly isInTransaction: boolean;
  /** Asks the server that this connection leads to, to give up the running statement. Resolves when it was asked. */
  cancel(signal: AbortSignal): Promise<void>;
  /**
   * A BEGIN and one statement in a single flush; resolves with the statement's result and leaves the transaction open. Never
   * asked for a text with several statements, for transaction control other than a savepoint, or for one with a channel.
   * @throws as `run` does
   */
  begin(opening: Statement, statement: Statement): Promise<Result>;
  /**
   * Says what the node is when the next statement leaves: on a mirror the session shall refuse writes itself, where the server's
   * own refusal does not bind every user. Costs nothing. Absent where it does.
   */
  serveAs?(role: "primary" | "mirror"): void;
  /** Names the server's session, for whoever has to end it from another connection. */
  readonly sessionId: string | undefined;
  /** Cuts the connection at once; a running statement rejects. Never throws. */
  destroy(): void;
  /** Says goodbye and closes. Never rejects. */
  close(): Promise<void>;
  /** Calls the listener once, when the connection is lost or closed for whatever reason. */
  onClose(listener: () => void): void;
  /** Whether the socket keeps the process alive. */
  setRef(isReferenced: boolean): void;
}

/** The statements of transaction control in the driver's dialect. */
export interface TransactionStatements {
  /** @throws {OptionsError} for a mode that the database does not have */
  begin(mode: TransactionMode): string | Statement;
  readonly commit: string;
  readonly rollback: string;
}

export interface TransactionMode {
  readonly isolation?: "read committed" | "repeatable read" | "serializable" | "read uncommitted";
  readonly readOnly?: boolean;
  readonly deferrable?: boolean;
}

/** What a driver makes of a node's URL. */
export interface NodeAddress {
  readonly host: string;
  readonly port: number;
  readonly database?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly tls?: unknown;
  readonly parameters?: Readonly<Record<string, string>>;
}

/** Speaks to one database library. All state is in its connections; it may learn of the servers how best to speak to them. */
export interface Driver {
  /** Such as `pg`. */
  readonly name: string;
  readonly defaultPort: number;
  readonly positions: Positions;
  readonly transactions: TransactionStatements;
  /** Absent where the database cannot have one: `exactlyOnce` is refused then. */
  readonly ledger?: LedgerStatements;
  /** Absent where nothing can be carried from one connection to another: settings are then state that cannot move. */
  readonly states?: SessionStates;
  /** @throws {Error} whose message names the rule and never holds the password. */
  parseUrl(url: string): NodeAddress;
  /** Opens and logs in. The signal ends the attempt and leaves no socket behind. */
  connect(target: ConnectTarget, signal: AbortSignal): Promise<Connection>;
  /**
   * One round trip. The caller bounds it and destroys the connection when it takes too long.
   * @param ledgerTable of the commit ledger, where that is in use: see {@link LedgerStatements.noteReign}
   */
  probe(connection: Connection, ledgerTable?: string): Promise<Observation>;
  classify(error: unknown): Fault;
  /**
   * The statement to send when a transaction is run again, by what this one answered: so that the server makes up the same
   * values, such as the ids of new rows. Absent where none can be given.
   */
  again?(statement: Statement, answer: Result): Statement;
  /**
   * A caller's statement as it is to be judged and run: where its values may be SQL themselves, with these in its text. Absent where
   * they never are. Pure.
   */
  complete?(statement: Statement): Statement;
  /** Whether a read may go through {@link Connection.pipeline}; absent where none may. */
  mayPipeline?(statement: Statement): boolean;
  inspect(text: string): StatementFacts;
}

/** What a session has set, and its prepared statements. Immutable; made and read by the driver alone. */
export interface SessionState {
  /** Connections with equal keys behave alike. */
  readonly key: string;
  /** Reads of such a session fail on a mirror. */
  readonly isForPrimary: boolean;
}

/**
 * How session state is carried from one connection to another, in the driver's dialect. The core decides when; which statement
 * sets what, and how it is set and undone, is the driver's. Undefined is the state of a connection as it was opened. Pure.
 */
export interface SessionStates {
  /** The state after a statement of the kind `setting` or `prepared`; `pinned` where the driver cannot carry that. */
  after(state: SessionState | undefined, statement: Statement): SessionState | undefined | "pinned";
  /** The state after the server has undone a transaction, or what came after a savepoint, that began with `before`. */
  rolledBack(state: SessionState | undefined, before: SessionState | undefined): SessionState | undefined | "pinned";
  /** The state once a transaction has begun with it: without what was set for that one alone. Absent where nothing is. */
  begun?(state: SessionState): SessionState | undefined;
  /** The statements, as few as can be, that make a connection with one state have exactly another. Bounded. */
  change(from: SessionState | undefined, to: SessionState | undefined): readonly Statement[];
}

/**
 * The commit ledger in the driver's dialect: a small table in the application's database, one row a transaction, found by
 * its token. The core decides when to ask; the statements are the driver's.
 */
export interface LedgerStatements {
  /**
   * True where a BEGIN and a COMMIT of ours leave alone what ties a session to its connection: then its single writes have a token
   * as well. A BEGIN of MySQL gives up what `LOCK TABLES` has locked. Default: false.
   */
  readonly keepsPinnedState?: boolean;
  /** Makes the table, for whoever may make tables. */
  schema(table: string): string;
  /** Token and COMMIT in one flush: where the token cannot be written nothing is committed. */
  commit(table: string, token: string): Statement;
  /**
   * Asks for a transaction's fate and fences it: answers one row with `isFenced`, false where it has committed, true where it
   * has not and now cannot any more. Blocks while that transaction is still open.
   */
  settle(table: string, token: string): Statement;
  /** True for the errors of a ledger that is not there or may not be written. */
  isMissing(error: unknown): boolean;
  /** True when the server itself gave up waiting for a transaction that is still open: the answer is yet to come. */
  isBlocked(error: unknown): boolean;
  /** Ends the server's session that a lost connection led to, by {@link Connection.sessionId}. */
  endSession(sessionId: string): Statement;
  /** Those of the tokens that have committed, one row each, as `token`. */
  find(table: string, tokens: readonly string[]): Statement;
  /** Removes a bounded number of tokens older than this; `rowCount` says how many. */
  prune(table: string, olderThanMs: number): Statement;
  /**
   * Notes in the ledger that the node on which it runs reigns, unless it is what was noted last: by that a claim of it is known to be
   * later than those of its predecessors, also to a process that was not there. Absent where the servers count promotions themselves.
   */
  noteReign?(table: string): Statement;
}
