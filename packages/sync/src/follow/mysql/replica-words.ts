import { quoteName, quoteText } from "../../mysql/quote.ts";
import type { Flavor } from "../../mysql/settings.ts";
import type { ServerAddress } from "./server-address.ts";

/** The statements of a system for its own replication, by one named connection. */
export interface ReplicaWords {
  readonly status: string;
  readonly stop: string;
  /** Applies what was received. */
  readonly apply: string;
  readonly forget: string;
  /** Changes nothing, and is refused to whom a right is missing that the others do not tell of. */
  readonly probe: string;
  /** While it is stopped. Have a password. */
  start(address: ServerAddress): readonly string[];
}

/** Seconds between two attempts to connect, and between two signs of life of an idle source. */
const RETRY_S = 1;
const HEARTBEAT_S = 2;

type Words = (name: string, database: string, tables: readonly string[]) => ReplicaWords;

const mariadb: Words = (name, database, tables) => {
  const it = quoteText(name);
  return {
    status: `SHOW SLAVE ${it} STATUS`,
    stop: `STOP SLAVE ${it}`,
    apply: `START SLAVE ${it} SQL_THREAD`,
    forget: `RESET SLAVE ${it} ALL`,
    probe: "SET GLOBAL slave_net_timeout = @@global.slave_net_timeout",
    start: ({ host, port, user, password, tls }) => [
      `CHANGE MASTER ${it} TO MASTER_HOST = ${quoteText(host)}, MASTER_PORT = ${port}, MASTER_USER = ${quoteText(user)},
        MASTER_PASSWORD = ${quoteText(password)}, MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = ${RETRY_S},
        MASTER_HEARTBEAT_PERIOD = ${HEARTBEAT_S}, MASTER_SSL = ${tls === false ? 0 : 1}, MASTER_SSL_CA = ${quoteText(caOf(tls))},
        MASTER_SSL_VERIFY_SERVER_CERT = ${caOf(tls) === "" ? 0 : 1}`,
      `SET GLOBAL ${quoteName(name)}.replicate_do_table = ${quoteText(tables.map((table) => `${database}.${table}`).join(","))}`,
      `START SLAVE ${it}`,
    ],
  };
};

const mysql: Words = (name, database, tables) => {
  const it = `FOR CHANNEL ${quoteText(name)}`;
  const filter = tables.map((table) => `${quoteName(database)}.${quoteName(table)}`).join(", ");
  return {
    status: `SHOW REPLICA STATUS ${it}`,
    stop: `STOP REPLICA ${it}`,
    apply: `START REPLICA SQL_THREAD ${it}`,
    forget: `RESET REPLICA ALL ${it}`,
    probe: "SET GLOBAL gtid_purged = '+'",
    start: ({ host, port, user, password, tls }) => [
      // without TLS the password goes by the source's public key, which is asked for
      `CHANGE REPLICATION SOURCE TO SOURCE_HOST = ${quoteText(host)}, SOURCE_PORT = ${port}, SOURCE_AUTO_POSITION = 1,
        SOURCE_CONNECT_RETRY = ${RETRY_S}, SOURCE_RETRY_COUNT = 0, SOURCE_HEARTBEAT_PERIOD = ${HEARTBEAT_S},
        SOURCE_SSL = ${tls === false ? 0 : 1}, SOURCE_SSL_CA = ${quoteText(caOf(tls))},
        SOURCE_SSL_VERIFY_SERVER_CERT = ${caOf(tls) === "" ? 0 : 1}, GET_SOURCE_PUBLIC_KEY = ${tls === false ? 1 : 0} ${it}`,
      `CHANGE REPLICATION FILTER REPLICATE_DO_TABLE = (${filter}) ${it}`,
      // a login that is given here is kept nowhere: after a restart the server does not go on by itself, without the filter
      `START REPLICA USER = ${quoteText(user)} PASSWORD = ${quoteText(password)} ${it}`,
    ],
  };
};

const caOf = (tls: ServerAddress["tls"]): string => (typeof tls === "object" ? tls.ca : "");

export const WORDS: Readonly<Record<Flavor, Words>> = { mariadb, mysql };
