/** MariaDB, or MySQL. */
export type Flavor = "mariadb" | "mysql";

/**
 * Strict, and with what rows may have all the same: days that no calendar has, 0 in a counted column. Backslashes escape and names
 * stand in backticks, whatever the server says.
 */
const SQL_MODE = "STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION";

/** For whom nobody waits: rows are read and written at the other side's pace. */
const PATIENCE = "net_read_timeout = 3600, net_write_timeout = 3600, wait_timeout = 86400, lock_wait_timeout = 60";

const UNBOUNDED: Readonly<Record<Flavor, string>> = {
  mariadb: "max_statement_time = 0, idle_transaction_timeout = 0",
  mysql: "max_execution_time = 0",
};

/** Equal values have equal texts; nothing is cut short. */
export const readerSettings = (flavor: Flavor): string =>
  `SET SESSION time_zone = '+00:00', sql_mode = '${SQL_MODE}', ${PATIENCE}, ${UNBOUNDED[flavor]}`;

/** The same, and in a load nobody looks for parents: that is done once, at the end. */
export const writerSettings = (flavor: Flavor, isLoad: boolean): string =>
  isLoad ? `${readerSettings(flavor)}, foreign_key_checks = 0` : readerSettings(flavor);
