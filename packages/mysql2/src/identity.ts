import type { Connection } from "@mirrorpool/core";
import mysql from "mysql2";
import type { MysqlConnection } from "./connection.ts";
import { ownStatement } from "./own.ts";

/** What does not change as long as a connection lives: it leads to one process. */
export interface Identity {
  readonly flavour: "mariadb" | "mysql";
  /** By which its transactions are told apart: `server_id` on MariaDB, `server_uuid` on MySQL. */
  readonly server: string;
  /** Of the process. */
  readonly instance: string;
  /** The group that it belongs to, where it can be known for certain. */
  readonly group: string | undefined;
  readonly isGalera: boolean;
  /** Every member of its group takes writes. */
  readonly hasPeers: boolean;
  /** What the login itself has set, as statements: a reset loses it. */
  readonly opened: readonly string[];
  /** MySQL: whether semi-synchronous replication is installed. */
  readonly hasSemiSync: boolean;
}

/**
 * `Uptime` and `UNIX_TIMESTAMP()` are both reckoned from the start of the statement: their difference is the moment at which the
 * process began, to the second, and the same for every connection. MariaDB has no `server_uuid`.
 */
const MARIADB = `
SELECT @@sql_mode AS mode, @@character_set_client AS characters, @@collation_connection AS collation, @@global.server_id AS server, @@hostname AS host, @@global.port AS port,
       UNIX_TIMESTAMP() - (SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS
                           WHERE VARIABLE_NAME = 'UPTIME') AS started,
       (SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_VARIABLES WHERE VARIABLE_NAME = 'WSREP_ON') AS wsrep,
       (SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS
        WHERE VARIABLE_NAME = 'WSREP_CLUSTER_STATE_UUID') AS cluster`;

const MYSQL = `
SELECT @@sql_mode AS mode, @@character_set_client AS characters, @@collation_connection AS collation, @@global.server_uuid AS server, @@hostname AS host, @@global.port AS port,
       UNIX_TIMESTAMP() - (SELECT VARIABLE_VALUE FROM performance_schema.global_status
                           WHERE VARIABLE_NAME = 'Uptime') AS started,
       (SELECT VARIABLE_VALUE FROM performance_schema.global_variables
        WHERE VARIABLE_NAME = 'group_replication_group_name') AS cluster,
       (SELECT VARIABLE_VALUE FROM performance_schema.global_variables
        WHERE VARIABLE_NAME = 'group_replication_single_primary_mode') AS single_primary,
       (SELECT VARIABLE_VALUE FROM performance_schema.global_variables
        WHERE VARIABLE_NAME = 'rpl_semi_sync_source_enabled') AS semi_sync`;

interface Row {
  readonly mode: string;
  readonly characters: string;
  readonly collation: string;
  readonly server: unknown;
  readonly host: unknown;
  readonly port: unknown;
  readonly started: unknown;
  readonly cluster: string | null;
  readonly wsrep?: string | null;
  readonly single_primary?: string | null;
  readonly semi_sync?: string | null;
}

const known = new WeakMap<Connection, Identity>();

/** What {@link identify} has found out. */
export const identityOf = (connection: Connection): Identity | undefined => known.get(connection);

/** Asks who the server is, once for each connection. */
export async function identify(connection: MysqlConnection): Promise<Identity> {
  const before = known.get(connection);
  if (before !== undefined) return before;
  const flavour = /mariadb/i.test(connection.serverVersion) ? "mariadb" : "mysql";
  const { rows } = await connection.run(ownStatement(flavour === "mariadb" ? MARIADB : MYSQL, [], {}));
  const row = rows[0] as unknown as Row; // the statements above return exactly one
  const isGalera = row.wsrep === "ON";
  const identity: Identity = {
    flavour,
    server: String(row.server),
    instance: [row.server, row.host, row.port, row.started].join("/"),
    group: (flavour === "mysql" || isGalera) && row.cluster ? row.cluster : undefined,
    isGalera,
    hasPeers: isGalera || row.single_primary === "OFF",
    opened: [
      `SET NAMES ${row.characters} COLLATE ${row.collation}`,
      `SET SESSION sql_mode = ${mysql.escape(row.mode)}`,
    ],
    hasSemiSync: flavour === "mariadb" || typeof row.semi_sync === "string",
  };
  known.set(connection, identity);
  return identity;
}
