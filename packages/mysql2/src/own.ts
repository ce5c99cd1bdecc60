import type { Statement } from "@mirrorpool/core";

/** What the driver's own statements ask of their connection. */
export interface Own {
  /**
   * The text, by the connection's own database (a table without one lies there, wherever the session has gone since), and by its
   * server, as {@link Identity} names it.
   */
  readonly textIn?: (database: string | undefined, server: string) => string;
  /** Sent in the same flush before it. */
  readonly before?: readonly string[];
  /** The text has several statements; where one fails the next ones are not executed. */
  readonly isSeveral?: boolean;
  /** The session is made as new before it. */
  readonly isReset?: boolean;
  /** Of a statement that is run again: what it answered as the id of its row. */
  readonly insertId?: string;
  /** What is sent before it sets the id of the next row. */
  readonly setsId?: boolean;
  /** With a reset: the session has gone to another database. */
  readonly hasMoved?: boolean;
}

/** A statement of the driver itself, whose rows come as objects whatever the application has asked for. */
export function ownStatement(text: string, values: readonly unknown[], own: Own): Statement {
  return { text, values, rowsAsArray: false, nestTables: false, typeCast: true, own };
}

/** A statement of the application's, with what the driver asks besides. */
export function withOwn(statement: Statement, own: Own): Statement {
  return { ...statement, own: { ...ownOf(statement), ...own } };
}

export function ownOf(statement: Statement): Own | undefined {
  return statement["own"] as Own | undefined; // made above, or absent
}
