import type { LedgerStatements } from "@mirrorpool/core";
import pg from "pg";
import { withCommit } from "./commit-query.ts";

const UNDEFINED_TABLE = "42P01";
const INSUFFICIENT_PRIVILEGE = "42501";
const INVALID_SCHEMA = "3F000";
const QUERY_CANCELED = "57014";
const LOCK_NOT_AVAILABLE = "55P03";

/** Rows that one pruning statement removes at most: short transactions, little WAL at a time. */
const PRUNE_BATCH = 1000;

/** The commit ledger on PostgreSQL: one row a transaction, found by its token alone. */
export const ledger: LedgerStatements = {
  keepsPinnedState: true,

  // the moment of the COMMIT and not of the BEGIN: the token of a long transaction shall live as long as any
  schema: (table) => `CREATE TABLE IF NOT EXISTS ${quote(table)} (
  token uuid PRIMARY KEY,
  is_fenced boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS ${quote(table, "_created_at")} ON ${quote(table)} (created_at);`,

  // one flush: where the INSERT fails the COMMIT is not executed
  commit: (table, token) => withCommit({ text: `INSERT INTO ${quote(table)} (token) VALUES ($1)`, values: [token] }),

  // blocks while the transaction with this token is still open; a row that was there says whether it is a commit or a fence
  settle: (table, token) => ({
    text: `INSERT INTO ${quote(table)} AS ledger (token, is_fenced) VALUES ($1, true)
           ON CONFLICT (token) DO UPDATE SET is_fenced = ledger.is_fenced
           RETURNING is_fenced AS "isFenced"`,
    values: [token],
  }),

  isMissing: (error) => {
    const code = codeOf(error);
    return code === UNDEFINED_TABLE || code === INSUFFICIENT_PRIVILEGE || code === INVALID_SCHEMA;
  },

  // a statement_timeout or lock_timeout of the application's that is shorter than our own patience
  isBlocked: (error) => {
    const code = codeOf(error);
    return code === QUERY_CANCELED || code === LOCK_NOT_AVAILABLE;
  },

  endSession: (session) => ({ text: "SELECT pg_terminate_backend($1)", values: [Number(session)] }),

  find: (table, tokens) => ({
    text: `SELECT token::text FROM ${quote(table)} WHERE token = ANY ($1::uuid[]) AND NOT is_fenced`,
    values: [tokens],
  }),

  // by the server's clock alone, which also wrote the rows; whoever holds the lock prunes, the others have nothing to do
  prune: (table, olderThanMs) => ({
    text: `DELETE FROM ${quote(table)} WHERE token IN (
             SELECT token FROM ${quote(table)} WHERE created_at < now() - $1 * interval '1 millisecond'
             ORDER BY created_at LIMIT ${PRUNE_BATCH} FOR UPDATE SKIP LOCKED)
           AND (SELECT pg_try_advisory_xact_lock(hashtextextended('mirrorpool prune ' || $2, 0)))`,
    values: [olderThanMs, table],
  }),
};

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}

/**
 * `schema.table` or `table`, each part quoted. Without a schema it is `public`'s: by the session's search path the token of a
 * commit could go to one table, and be asked for in another.
 */
function quote(table: string, suffix = ""): string {
  const parts = table.includes(".") ? table.split(".") : ["public", table];
  // an index lies in its table's schema and takes no other
  if (suffix !== "") return pg.escapeIdentifier(`${parts.at(-1)}${suffix}`);
  return parts.map((part) => pg.escapeIdentifier(part)).join(".");
}
