/** Lines of the option file: name to value. */
export type Settings = Readonly<Record<string, string>>;

/** What makes a throw-away server quick to boot, quick to notice, and free of leftovers; for MariaDB and MySQL. */
export const BASE_SETTINGS: Settings = {
  // a killed process loses nothing; only a power cut would
  innodb_flush_log_at_trx_commit: "2",
  sync_binlog: "0",
  innodb_flush_method: "fsync",
  innodb_use_native_aio: "OFF",
  innodb_buffer_pool_size: "32M",
  innodb_buffer_pool_dump_at_shutdown: "OFF",
  innodb_buffer_pool_load_at_startup: "OFF",
  skip_name_resolve: "ON",
  max_connect_errors: "1000000",
};

/** The text of an option file. */
export function formatSettings(settings: Settings): string {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = "${value.replaceAll(/["\\]/g, "\\$&")}"\n`);
  return `[mysqld]\n${lines.join("")}`;
}
