/** Lines of postgresql.conf: name to value. */
export type Settings = Readonly<Record<string, string>>;

/**
 * What makes a throw-away cluster quick to boot, quick to notice, and free of leftovers. A user's settings come after
 * these and win.
 */
export function baseSettings(version: number): Settings {
  return {
    // there is nothing to save from a power cut
    fsync: "off",
    full_page_writes: "on",
    shared_buffers: "32MB",
    jit: "off",
    max_wal_size: "256MB",
    checkpoint_timeout: "1h",
    // several processes less per node
    ...(version >= 18 && { io_method: "sync" }),
    // in the data directory: a killed server leaks its segments in /dev/shm otherwise
    dynamic_shared_memory_type: "mmap",
    unix_socket_directories: "",
    hot_standby: "on",
    hot_standby_feedback: "on",
    max_wal_senders: "10",
    // instead of replication slots: no state on the primary that a failover would lose
    wal_keep_size: "256MB",
    // the default of 5 s is how long a mirror would wait before it tries its new primary
    wal_retrieve_retry_interval: "100ms",
    wal_receiver_status_interval: "1s",
    wal_receiver_timeout: "2s",
    wal_sender_timeout: "2s",
    log_line_prefix: "%m [%p] ",
    lc_messages: "C",
  };
}

/** The text of postgresql.conf; of two equal names the last counts. */
export function formatSettings(settings: Settings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)
    .join("");
}

/** One `name=value` list for libpq, as in primary_conninfo. */
export function formatConnection(parameters: Readonly<Record<string, string | number>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name}='${String(value).replaceAll(/['\\]/g, "\\$&")}'`)
    .join(" ");
}
