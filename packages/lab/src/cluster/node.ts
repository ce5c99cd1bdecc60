import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { LabError } from "../errors.ts";
import type { Account } from "../platform/account.ts";
import { fillDisk, freeDisk } from "../platform/disk.ts";
import { removeSharedMemory } from "../platform/run.ts";
import { baseBackup } from "../postgres/base-backup.ts";
import type { Binaries } from "../postgres/binaries.ts";
import { placeWal, write } from "../postgres/initialize.ts";
import { createServer, type Server, type StopMode } from "../postgres/server.ts";
import { formatConnection, formatSettings, type Settings } from "../postgres/settings.ts";
import { type Ask, formatUrl, type Login, quoteName, type Row, withConnection } from "../postgres/sql.ts";
import { createFollowingProxy, type FaultProxy, type FollowingProxy } from "../proxy/fault-proxy.ts";
import { bounded, until, type WaitOptions } from "../wait.ts";
import type { LabNode } from "./lab-node.ts";
import type { ClusterPlan } from "./options.ts";

/** What a node is made of. */
export interface NodeOptions {
  readonly name: string;
  readonly run: string;
  readonly plan: ClusterPlan;
  readonly binaries: Binaries;
  readonly account: Account | undefined;
  /** Settings that all nodes share. */
  readonly settings: Settings;
  readonly port: number;
  /** The proxy's port; `undefined`: no proxy. */
  readonly proxyPort: number | undefined;
  readonly superuser: { readonly user: string; readonly password: string };
  readonly signal: AbortSignal;
}

const HOST = "127.0.0.1";

/** The row of a question to be answered with yes or no. */
interface Answer {
  readonly holds: boolean;
}

/** A node as the cluster handles it. */
export class ClusterNode implements LabNode {
  readonly name: string;
  readonly host: string = HOST;
  readonly directPort: number;
  /** Its data directory. */
  readonly directory: string;
  /** Where its WAL is, if not in the data directory: apart from a disk that can be filled. */
  readonly walDirectory: string | undefined;
  readonly #options: NodeOptions;
  readonly #proxy: FollowingProxy | undefined;
  readonly #server: Server;
  #settings: Settings;
  #upstream: ClusterNode | undefined;

  constructor(options: NodeOptions) {
    const { name, run, plan, port, proxyPort } = options;
    this.name = name;
    this.directPort = port;
    this.directory = join(run, name);
    this.walDirectory = plan.diskBytes === undefined ? undefined : join(run, `${name}-wal`);
    this.#options = options;
    this.#settings = {
      ...options.settings,
      listen_addresses: HOST,
      port: String(port),
      cluster_name: name,
    };
    this.#proxy =
      proxyPort === undefined
        ? undefined
        : createFollowingProxy({ target: { host: HOST, port }, host: HOST, port: proxyPort });
    this.#server = createServer({
      name,
      postgres: options.binaries.postgres,
      directory: this.directory,
      logFile: join(run, `${name}.log`),
      account: options.account,
      secrets: [options.superuser.password, plan.password],
      onListening: async (isListening) => this.#proxy?.follow(isListening),
    });
  }

  get port(): number {
    return this.#proxy?.port ?? this.directPort;
  }

  get url(): string {
    return formatUrl(this.#appLogin(this.port));
  }

  get directUrl(): string {
    return formatUrl(this.#appLogin(this.directPort));
  }

  get adminUrl(): string {
    return formatUrl(this.#adminLogin());
  }

  get proxy(): FaultProxy {
    if (this.#proxy) return this.#proxy;
    throw this.#wrongState("has no proxy: the cluster was made with proxies: false");
  }

  get pid(): number | undefined {
    return this.#server.pid;
  }

  get isRunning(): boolean {
    return this.#server.pid !== undefined;
  }

  get isFrozen(): boolean {
    return this.#server.isFrozen;
  }

  /** Whether it can be asked something. */
  get isResponsive(): boolean {
    return this.isRunning && !this.isFrozen;
  }

  kill(): Promise<void> {
    return this.#server.kill();
  }

  async freeze(): Promise<void> {
    this.#server.freeze();
  }

  async thaw(): Promise<void> {
    this.#server.thaw();
  }

  stop(mode: StopMode = "fast", wait: WaitOptions = {}): Promise<void> {
    return this.#server.stop(mode, this.#wait(wait));
  }

  start(wait: WaitOptions = {}): Promise<void> {
    return this.#server.start(this.#wait(wait));
  }

  async restart(mode: StopMode = "fast", wait: WaitOptions = {}): Promise<void> {
    await this.stop(mode, wait);
    await this.start(wait);
  }

  async lag(isOn: boolean): Promise<void> {
    await this.ask(async (ask) => {
      await ask(isOn ? "SELECT pg_wal_replay_pause()" : "SELECT pg_wal_replay_resume()");
      const wanted = isOn ? "paused" : "not paused";
      await until(
        `${this.name} to be ${wanted}`,
        async () =>
          (await ask<{ state: string }>("SELECT pg_get_wal_replay_pause_state() AS state"))[0]?.state === wanted,
        this.#wait(),
      );
    });
  }

  async replicate(isOn: boolean): Promise<void> {
    if (!this.#upstream) throw this.#wrongState("is no mirror: it has nobody to replicate from");
    await this.configure({ primary_conninfo: isOn ? this.#connectionTo(this.#upstream) : "" });
    if (!this.isResponsive) return;
    if (isOn) await this.#upstream.waitForMirror(this);
    else await this.#waitFor("to stop receiving", "SELECT NOT EXISTS (SELECT FROM pg_stat_wal_receiver) AS holds");
  }

  async readOnly(isOn: boolean): Promise<void> {
    const value = isOn ? "on" : "off";
    await this.configure({ default_transaction_read_only: value });
    if (!this.isResponsive) return;
    // each probe is a new session: the postmaster must have read the file
    await until(
      `${this.name} to have default_transaction_read_only = ${value}`,
      async () => {
        const [row] = await this.query<{ value: string }>(
          "SELECT current_setting('default_transaction_read_only') AS value",
        );
        return row?.value === value;
      },
      this.#wait(),
    );
  }

  async connectionLimit(limit: number | null): Promise<void> {
    await this.query(`ALTER ROLE ${quoteName(this.#options.plan.user)} CONNECTION LIMIT ${Number(limit ?? -1)}`);
  }

  async fillDisk(): Promise<void> {
    this.#requireDisk();
    await fillDisk(this.directory);
  }

  async freeDisk(): Promise<void> {
    this.#requireDisk();
    await freeDisk(this.directory);
  }

  async terminateBackends(): Promise<number> {
    return this.ask(async (ask) => {
      const others = `FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename <> '${this.#options.superuser.user}'`;
      const ended = await ask<{ pid: number }>(`SELECT pid, pg_terminate_backend(pid) ${others}`);
      const pids = ended.map(({ pid }) => pid);
      // these sessions, and not the ones that their clients open in their place
      await until(
        `the sessions on ${this.name} to end`,
        async () => (await ask("SELECT pid FROM pg_stat_activity WHERE pid = ANY ($1)", [pids])).length === 0,
        this.#wait(),
      );
      return ended.length;
    });
  }

  query<R extends object = Row>(sql: string, params?: readonly unknown[]): Promise<readonly R[]> {
    return this.ask((ask) => ask<R>(sql, params));
  }

  async timeline(): Promise<number> {
    const [row] = await this.query<{ timeline: number }>(
      // the checkpoint's timeline may be older than the one that is received
      `SELECT CASE WHEN pg_is_in_recovery()
         THEN coalesce((SELECT received_tli FROM pg_stat_wal_receiver), (SELECT timeline_id FROM pg_control_checkpoint()))
         ELSE ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int
       END AS timeline`,
    );
    return row?.timeline ?? 0;
  }

  logTail(): string {
    return this.#server.logTail();
  }

  /** Runs several statements as superuser on one connection. */
  async ask<T>(work: (ask: Ask) => Promise<T>, wait: WaitOptions = {}): Promise<T> {
    if (!this.isResponsive) throw this.#wrongState(this.isFrozen ? "is frozen and cannot answer" : "is not running");
    return bounded(`an answer of ${this.name}`, this.#wait(wait), (signal) =>
      withConnection(this.#adminLogin(), work, signal),
    );
  }

  /** Changes settings: in its file, and in the running server as soon as that reads it. */
  async configure(changes: Settings): Promise<void> {
    this.#settings = { ...this.#settings, ...changes };
    const text = formatSettings(this.#settings);
    await write(join(this.directory, "postgresql.conf"), text, this.#options.account);
    this.#server.reload();
  }

  /** Makes it a mirror of `primary` from its next start, or, if it is a mirror already, from now on. */
  async follow(primary: ClusterNode): Promise<void> {
    this.#upstream = primary;
    await this.configure({ primary_conninfo: this.#connectionTo(primary) });
  }

  /** The mark with which PostgreSQL starts as a mirror; a promotion removes it. */
  async markAsMirror(): Promise<void> {
    await write(join(this.directory, "standby.signal"), "", this.#options.account);
  }

  /** Takes note that it is a primary now. */
  stopFollowing(): void {
    this.#upstream = undefined;
  }

  /** Replaces whatever it has by a copy of the running `primary`. It must be stopped. */
  async copyFrom(primary: ClusterNode, signal: AbortSignal): Promise<void> {
    const { account, binaries } = this.#options;
    removeSharedMemory(this.directory);
    for (const entry of await readdir(this.directory)) {
      await rm(join(this.directory, entry), { recursive: true, force: true });
    }
    if (this.walDirectory) await rm(this.walDirectory, { recursive: true, force: true });
    await placeWal(this, account);
    await baseBackup({
      login: primary.#adminLogin(),
      version: binaries.version,
      from: primary.directory,
      to: this.directory,
      account,
      signal,
    });
  }

  /**
   * Waits until `mirror` streams from this node and has what this node has written by now. The second shows that it
   * is on the same timeline: one that comes from an older one streams that to its end first, and then connects again.
   */
  async waitForMirror(mirror: ClusterNode, wait: WaitOptions = {}): Promise<void> {
    const position = await this.flushedPosition(wait);
    await this.#waitFor(
      `to stream to ${mirror.name}`,
      `SELECT EXISTS (
         SELECT FROM pg_stat_replication WHERE application_name = $1 AND state = 'streaming' AND flush_lsn >= $2
       ) AS holds`,
      [mirror.name, position],
      { ...wait, explain: () => `; the end of the log of ${mirror.name}:\n${mirror.logTail()}` },
    );
  }

  /** Up to where a primary has its WAL on disk: that covers all that it has acknowledged. */
  async flushedPosition(wait: WaitOptions = {}): Promise<string> {
    const sql = "SELECT pg_current_wal_flush_lsn() AS position";
    const [row] = await this.ask((ask) => ask<{ position: string }>(sql), wait);
    return row?.position ?? "";
  }

  /** Waits until it has replayed the WAL up to and with the record at `position`. */
  waitForReplay(position: string, wait: WaitOptions = {}): Promise<void> {
    const sql = "SELECT coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false) AS holds";
    return this.#waitFor(`to replay ${position}`, sql, [position], wait);
  }

  /** Ends the server and its proxy for good. */
  async close(): Promise<void> {
    await this.#proxy?.close();
    await this.kill();
  }

  async #waitFor(what: string, sql: string, params: readonly unknown[] = [], wait: WaitOptions = {}): Promise<void> {
    await this.ask(
      (ask) => until(`${this.name} ${what}`, async () => (await ask<Answer>(sql, params))[0]?.holds, this.#wait(wait)),
      wait,
    );
  }

  #wait(wait: WaitOptions = {}): WaitOptions {
    const { signal } = this.#options;
    return { ...wait, signal: wait.signal ? AbortSignal.any([signal, wait.signal]) : signal };
  }

  #connectionTo(primary: ClusterNode): string {
    const { superuser } = this.#options;
    return formatConnection({
      host: HOST,
      port: primary.directPort,
      ...superuser,
      application_name: this.name,
      connect_timeout: 2,
    });
  }

  #adminLogin(): Login {
    const { superuser, plan } = this.#options;
    return { host: HOST, port: this.directPort, ...superuser, database: plan.database };
  }

  #appLogin(port: number): Login {
    const { user, password, database } = this.#options.plan;
    return { host: HOST, port, user, password, database };
  }

  #requireDisk(): void {
    if (this.#options.plan.diskBytes !== undefined) return;
    throw new LabError("not-possible-here", `${this.name} has no disk of its own: make the cluster with diskBytes`, {
      node: this.name,
    });
  }

  #wrongState(what: string): LabError {
    return new LabError("wrong-state", `${this.name} ${what}`, { node: this.name });
  }
}
