import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Engine, Host, Site } from "../cluster/engine.ts";
import type { StopMode } from "../cluster/server.ts";
import { LabError } from "../errors.ts";
import { write } from "../platform/files.ts";
import { removeSharedMemory } from "../platform/run.ts";
import { until, type WaitOptions } from "../wait.ts";
import { baseBackup } from "./base-backup.ts";
import { readControlFile } from "./control-file.ts";
import { placeWal } from "./initialize.ts";
import { formatConnection, formatSettings, type Settings } from "./settings.ts";
import { adminLogin, quoteName } from "./sql.ts";

const STOP_SIGNALS = { smart: "SIGTERM", fast: "SIGINT", immediate: "SIGQUIT" } as const satisfies Record<
  StopMode,
  NodeJS.Signals
>;

/** The row of a question to be answered with yes or no. */
interface Answer {
  readonly holds: boolean;
}

/** Where the WAL of a node is, if not in its data directory: apart from a disk that can be filled. */
export function walDirectoryOf({ plan, run, name }: Site): string | undefined {
  return plan.diskBytes === undefined ? undefined : join(run, `${name}-wal`);
}

/**
 * The engine of a PostgreSQL node.
 * @param shared settings that all nodes have
 */
export function createEngine(host: Host, shared: Settings, version: number): Engine {
  return new PostgresEngine(host, shared, version);
}

class PostgresEngine implements Engine {
  readonly #host: Host;
  readonly #version: number;
  #settings: Settings;
  #upstream: Host | undefined;

  constructor(host: Host, shared: Settings, version: number) {
    this.#host = host;
    this.#version = version;
    this.#settings = {
      ...shared,
      listen_addresses: host.host,
      port: String(host.directPort),
      cluster_name: host.name,
    };
  }

  async start(wait: WaitOptions = {}): Promise<void> {
    await this.#configure({});
    await this.#host.server.start(this.#host.within(wait));
  }

  stop(mode: StopMode, wait: WaitOptions = {}): Promise<void> {
    return this.#host.server.stop(STOP_SIGNALS[mode], this.#host.within(wait));
  }

  async thaw(): Promise<void> {
    this.#host.server.thaw();
  }

  async lag(isOn: boolean): Promise<void> {
    await this.#host.ask(async (ask) => {
      await ask(isOn ? "SELECT pg_wal_replay_pause()" : "SELECT pg_wal_replay_resume()");
      const wanted = isOn ? "paused" : "not paused";
      await until(
        `${this.#host.name} to be ${wanted}`,
        async () =>
          (await ask<{ state: string }>("SELECT pg_get_wal_replay_pause_state() AS state"))[0]?.state === wanted,
        this.#host.within(),
      );
    });
  }

  async replicate(isOn: boolean): Promise<void> {
    const { name } = this.#host;
    if (!this.#upstream) {
      throw new LabError("wrong-state", `${name} is no mirror: it has nobody to replicate from`, { node: name });
    }
    await this.#configure({ primary_conninfo: isOn ? this.#connectionTo(this.#upstream) : "" });
    if (!this.#host.isResponsive) return;
    if (isOn) await this.waitForStream();
    else {
      const sql = "SELECT NOT EXISTS (SELECT FROM pg_stat_wal_receiver) AS holds";
      await waitFor(this.#host, "to stop receiving", sql);
    }
  }

  async readOnly(isOn: boolean): Promise<void> {
    const value = isOn ? "on" : "off";
    await this.#configure({ default_transaction_read_only: value });
    if (!this.#host.isResponsive) return;
    // each probe is a new session: the postmaster must have read the file
    await until(
      `${this.#host.name} to have default_transaction_read_only = ${value}`,
      async () => {
        const sql = "SELECT current_setting('default_transaction_read_only') AS value";
        const [row] = await this.#host.ask((ask) => ask<{ value: string }>(sql));
        return row?.value === value;
      },
      this.#host.within(),
    );
  }

  async connectionLimit(limit: number | null): Promise<void> {
    const sql = `ALTER ROLE ${quoteName(this.#host.plan.user)} CONNECTION LIMIT ${Number(limit ?? -1)}`;
    await this.#host.ask((ask) => ask(sql));
  }

  async terminateBackends(): Promise<number> {
    const { name, superuser } = this.#host;
    return this.#host.ask(async (ask) => {
      const others = `FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename <> '${superuser.user}'`;
      const ended = await ask<{ pid: number }>(`SELECT pid, pg_terminate_backend(pid) ${others}`);
      const pids = ended.map(({ pid }) => pid);
      // these sessions, and not the ones that their clients open in their place
      await until(
        `the sessions on ${name} to end`,
        async () => (await ask("SELECT pid FROM pg_stat_activity WHERE pid = ANY ($1)", [pids])).length === 0,
        this.#host.within(),
      );
      return ended.length;
    });
  }

  async timeline(): Promise<number> {
    const [row] = await this.#host.ask((ask) =>
      ask<{ timeline: number }>(
        // the checkpoint's timeline may be older than the one that is received
        `SELECT CASE WHEN pg_is_in_recovery()
         THEN coalesce((SELECT received_tli FROM pg_stat_wal_receiver), (SELECT timeline_id FROM pg_control_checkpoint()))
         ELSE ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int
       END AS timeline`,
      ),
    );
    return row?.timeline ?? 0;
  }

  async received(): Promise<bigint> {
    const sql = "SELECT (pg_last_wal_receive_lsn() - '0/0'::pg_lsn)::text AS bytes";
    const [row] = await this.#host.ask((ask) => ask<{ bytes: string | null }>(sql));
    return BigInt(row?.bytes ?? 0);
  }

  position(wait: WaitOptions = {}): Promise<string> {
    return flushedPosition(this.#host, wait);
  }

  waitForReplay(position: string, wait: WaitOptions = {}): Promise<void> {
    const sql = "SELECT coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false) AS holds";
    return waitFor(this.#host, `to replay ${position}`, sql, [position], wait);
  }

  /** That it has all shows that it is on the same timeline: one of an older one streams that to its end first. */
  async waitForStream(wait: WaitOptions = {}): Promise<void> {
    const [mirror, primary] = [this.#host, this.#upstream];
    if (!primary) return;
    await waitFor(
      primary,
      `to stream to ${mirror.name}`,
      `SELECT EXISTS (
         SELECT FROM pg_stat_replication WHERE application_name = $1 AND state = 'streaming' AND flush_lsn >= $2
       ) AS holds`,
      [mirror.name, await flushedPosition(primary, wait)],
      { ...wait, explain: () => `; the end of the log of ${mirror.name}:\n${mirror.server.logTail()}` },
    );
  }

  async promote(wait: WaitOptions = {}): Promise<void> {
    await this.#host.ask(async (ask) => {
      // its own waiting looks only every 100 ms
      await ask("SELECT pg_promote(false)");
      await until(
        `${this.#host.name} to be promoted`,
        async () => (await ask<Answer>("SELECT NOT pg_is_in_recovery() AS holds"))[0]?.holds,
        this.#host.within({ everyMs: 2, ...wait }),
      );
    }, wait);
    this.#upstream = undefined;
  }

  async follow(primary: Host): Promise<void> {
    this.#upstream = primary;
    await this.#configure({ primary_conninfo: this.#connectionTo(primary) });
  }

  async retire(wait: WaitOptions = {}): Promise<string> {
    const { name, directory, server } = this.#host;
    await this.stop("fast", wait);
    const { isShutDown, checkpoint } = await readControlFile(directory);
    if (isShutDown) return after(checkpoint);
    const log = server.logTail();
    await this.start(wait);
    throw new LabError("wrong-state", `${name} did not shut down in good order:\n${log}`, { node: name });
  }

  reinstate(wait: WaitOptions = {}): Promise<void> {
    return this.start(wait);
  }

  async demote(primary: Host, wait: WaitOptions = {}): Promise<void> {
    await markAsMirror(this.#host);
    await this.follow(primary);
    await this.start(wait);
    await this.waitForStream(wait);
  }

  /** What it has is replaced by a copy. */
  async rejoin(primary: Host, wait: WaitOptions = {}): Promise<void> {
    const { directory, account, server } = this.#host;
    await server.kill();
    removeSharedMemory(directory);
    for (const entry of await readdir(directory)) {
      await rm(join(directory, entry), { recursive: true, force: true });
    }
    const walDirectory = walDirectoryOf(this.#host);
    if (walDirectory) await rm(walDirectory, { recursive: true, force: true });
    await placeWal({ directory, walDirectory }, account);
    await baseBackup({
      login: adminLogin(primary),
      version: this.#version,
      from: primary.directory,
      to: directory,
      account,
      signal: this.#host.within(wait).signal ?? new AbortController().signal,
    });
    await this.demote(primary, wait);
  }

  /** Changes settings: in its file, and in the running server as soon as that reads it. */
  async #configure(changes: Settings): Promise<void> {
    const { directory, account, server } = this.#host;
    this.#settings = { ...this.#settings, ...changes };
    await write(join(directory, "postgresql.conf"), formatSettings(this.#settings), account);
    server.reload();
  }

  #connectionTo(primary: Host): string {
    return formatConnection({
      host: primary.host,
      port: primary.directPort,
      ...this.#host.superuser,
      application_name: this.#host.name,
      connect_timeout: 2,
    });
  }
}

/** The mark with which PostgreSQL starts as a mirror; a promotion removes it. */
export async function markAsMirror({ directory, account }: Site): Promise<void> {
  await write(join(directory, "standby.signal"), "", account);
}

/** Up to where a primary has its WAL on disk. */
async function flushedPosition(primary: Host, wait: WaitOptions): Promise<string> {
  const sql = "SELECT pg_current_wal_flush_lsn() AS position";
  const [row] = await primary.ask((ask) => ask<{ position: string }>(sql), wait);
  return row?.position ?? "";
}

async function waitFor(
  host: Host,
  what: string,
  sql: string,
  params: readonly unknown[] = [],
  wait: WaitOptions = {},
): Promise<void> {
  await host.ask(
    (ask) => until(`${host.name} ${what}`, async () => (await ask<Answer>(sql, params))[0]?.holds, host.within(wait)),
    wait,
  );
}

/** The position just behind the first byte of the record at `position`: replayed up to there means the record was replayed. */
function after(position: string): string {
  const [high = "0", low = "0"] = position.split("/");
  const next = (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`) + 1n;
  return `${(next >> 32n).toString(16)}/${(next & 0xffffffffn).toString(16)}`;
}
