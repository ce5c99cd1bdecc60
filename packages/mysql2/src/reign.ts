import mysql from "mysql2";

/**
 * Who reigns, in a row of the commit ledger: `reign-`, a number of ten digits, and the server. It takes the place of a timeline: each
 * server that is accepted as the primary has its row, with a number above that of all before it, and mirrors have what their primary had.
 * So of two that were accepted the one with the higher number is the later one, whatever else they have written.
 */
const PREFIX = "reign-";
const NUMBER_LENGTH = 10;
const SERVER_AT = PREFIX.length + NUMBER_LENGTH + 2; // counted from 1, behind a dash

/** The name of a server in its row: a token is no longer than a uuid. */
const nameOf = (server: string): string => server.replaceAll("-", "").slice(0, 36 - SERVER_AT + 1);

/** What keeps these rows from being removed with old tokens. */
export const isToken: string = `token NOT LIKE '${PREFIX}%'`;

const LATEST = `MAX(token)`;
const REIGNS = `token LIKE '${PREFIX}%'`;

/** The latest row, or null. @param table quoted */
export const latestReign = (table: string): string => `(SELECT ${LATEST} FROM ${table} WHERE ${REIGNS})`;

/** Notes the reign of the server itself, unless it is the latest. Several may do so at once. @param table quoted */
export function noteReign(table: string, server: string): string {
  const name = mysql.escape(nameOf(server));
  const number = `COALESCE(SUBSTR(${LATEST}, ${PREFIX.length + 1}, ${NUMBER_LENGTH}), 0) + 1`;
  return `INSERT IGNORE INTO ${table} (token)
SELECT CONCAT('${PREFIX}', LPAD(${number}, ${NUMBER_LENGTH}, '0'), '-', ${name}) FROM ${table} WHERE ${REIGNS}
HAVING ${LATEST} IS NULL OR SUBSTR(${LATEST}, ${SERVER_AT}) <> ${name}`;
}

/**
 * The number of a server's reign by the latest row; undefined where that is another one's. Then it may have been promoted a moment ago,
 * and nobody has accepted it yet: nothing is known of it.
 */
export function reignOf(server: string, row: string | null | undefined): number | undefined {
  if (row?.startsWith(PREFIX) !== true || row.slice(SERVER_AT - 1) !== nameOf(server)) return undefined;
  return Number(row.slice(PREFIX.length, PREFIX.length + NUMBER_LENGTH));
}
