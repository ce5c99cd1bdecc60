import type { LedgerStatements } from "@mirrorpool/core";
import mysql, { type TypeCastField } from "mysql2";
import { serverNumberOf } from "./classify.ts";
import { ownStatement } from "./own.ts";
import { quote } from "./quote.ts";
import { isToken, noteReign } from "./reign.ts";

/** No such table, database or right to use it. */
const MISSING: ReadonlySet<number | undefined> = new Set([1146, 1142, 1143, 1044, 1049]);
const LOCK_WAIT_TIMEOUT = 1205;

/** Rows that one pruning statement removes at most: short transactions. */
const PRUNE_BATCH = 1000;

/** The commit ledger on MariaDB and MySQL: one row a transaction, found by its token alone. */
export const ledger: LedgerStatements = {
  schema: (table) => `CREATE TABLE IF NOT EXISTS ${quote(table, undefined)} (
  token char(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  is_fenced boolean NOT NULL DEFAULT false,
  created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY created_at (created_at)
) ENGINE = InnoDB;`,

  // where the INSERT fails the COMMIT is not executed. The token is our own uuid, nothing of the user's
  commit: (table, token) =>
    own(table, (name) => `INSERT INTO ${name} (token) VALUES (${mysql.escape(token)}); COMMIT`, [], true),

  // blocks while the transaction with this token is still open; a row that was there says whether it is a commit or a fence
  settle: (table, token) => ({
    ...own(
      table,
      (name) => `INSERT IGNORE INTO ${name} (token, is_fenced) VALUES (?, true);
SELECT is_fenced AS isFenced FROM ${name} WHERE token = ?`,
      [token, token],
      true,
    ),
    // there is no boolean, and its one column is to be one
    typeCast: (field: TypeCastField) => field.string() === "1",
  }),

  isMissing: (error) => MISSING.has(serverNumberOf(error)),

  isBlocked: (error) => serverNumberOf(error) === LOCK_WAIT_TIMEOUT,

  endSession: (session) => ownStatement("KILL ?", [Number(session)], {}),

  find: (table, tokens) =>
    own(table, (name) => `SELECT token FROM ${name} WHERE token IN (?) AND NOT is_fenced`, [tokens], false),

  // by the server's clock alone, which also wrote the rows
  prune: (table, olderThanMs) =>
    own(
      table,
      (name) => `DELETE FROM ${name} WHERE created_at < NOW(3) - INTERVAL ? MICROSECOND AND ${isToken}
ORDER BY created_at LIMIT ${PRUNE_BATCH}`,
      [olderThanMs * 1000],
      false,
    ),

  noteReign: (table) => own(table, noteReign, [], false),
};

function own(
  table: string,
  text: (name: string, server: string) => string,
  values: readonly unknown[],
  isSeveral: boolean,
): ReturnType<typeof ownStatement> {
  const textIn = (database: string | undefined, server: string): string => text(quote(table, database), server);
  return ownStatement(textIn(undefined, ""), values, { textIn, isSeveral });
}
