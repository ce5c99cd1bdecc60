import { join } from "node:path";
import { LabError } from "../errors.ts";
import type { Account } from "../platform/account.ts";
import { fillDisk, freeDisk } from "../platform/disk.ts";
import { createFollowingProxy, type FaultProxy, type FollowingProxy } from "../proxy/fault-proxy.ts";
import { bounded, type WaitOptions } from "../wait.ts";
import type { DatabaseSystem, Engine, Host } from "./engine.ts";
import type { LabNode } from "./lab-node.ts";
import type { Ask, Login, Row } from "./login.ts";
import type { ClusterPlan } from "./options.ts";
import { createServer, type Server, type StopMode } from "./server.ts";

/** What a node is made of. */
export interface NodeOptions {
  /** Counts from 1. */
  readonly number: number;
  readonly run: string;
  readonly plan: ClusterPlan;
  readonly system: DatabaseSystem;
  readonly account: Account | undefined;
  readonly port: number;
  readonly extraPorts: readonly number[];
  /** The proxy's port; `undefined`: no proxy. */
  readonly proxyPort: number | undefined;
  readonly superuser: { readonly user: string; readonly password: string };
  readonly signal: AbortSignal;
}

const HOST = "127.0.0.1";

/** A node as the cluster handles it. */
export class ClusterNode implements LabNode, Host {
  readonly name: string;
  readonly number: number;
  readonly run: string;
  readonly directory: string;
  readonly host: string = HOST;
  readonly directPort: number;
  readonly extraPorts: readonly number[];
  readonly plan: ClusterPlan;
  readonly account: Account | undefined;
  readonly superuser: { readonly user: string; readonly password: string };
  readonly server: Server;
  readonly engine: Engine;
  readonly #system: DatabaseSystem;
  readonly #proxy: FollowingProxy | undefined;
  readonly #signal: AbortSignal;

  constructor(options: NodeOptions) {
    const { number, run, plan, system, port, proxyPort } = options;
    this.name = `node${number}`;
    this.number = number;
    this.run = run;
    this.directory = join(run, this.name);
    this.directPort = port;
    this.extraPorts = options.extraPorts;
    this.plan = plan;
    this.account = options.account;
    this.superuser = options.superuser;
    this.#system = system;
    this.#signal = options.signal;
    this.#proxy =
      proxyPort === undefined
        ? undefined
        : createFollowingProxy({ target: { host: HOST, port }, host: HOST, port: proxyPort });
    this.server = createServer({
      name: this.name,
      launch: system.launch(this),
      directory: this.directory,
      logFile: join(run, `${this.name}.log`),
      account: options.account,
      secrets: [options.superuser.password, plan.password],
      onListening: async (isListening) => this.#proxy?.follow(isListening),
    });
    this.engine = system.createEngine(this);
  }

  get port(): number {
    return this.#proxy?.port ?? this.directPort;
  }

  get url(): string {
    return this.#system.formatUrl(this.#appLogin(this.port));
  }

  get directUrl(): string {
    return this.#system.formatUrl(this.#appLogin(this.directPort));
  }

  get adminUrl(): string {
    return this.#system.formatUrl(this.#system.adminLogin(this));
  }

  get proxy(): FaultProxy {
    if (this.#proxy) return this.#proxy;
    throw this.#wrongState("has no proxy: the cluster was made with proxies: false");
  }

  get pid(): number | undefined {
    return this.server.pid;
  }

  get isRunning(): boolean {
    return this.server.pid !== undefined;
  }

  get isFrozen(): boolean {
    return this.server.isFrozen;
  }

  get isResponsive(): boolean {
    return this.isRunning && !this.isFrozen;
  }

  kill(): Promise<void> {
    return this.server.kill();
  }

  async freeze(): Promise<void> {
    this.server.freeze();
  }

  thaw(): Promise<void> {
    return this.engine.thaw();
  }

  stop(mode: StopMode = "fast", wait: WaitOptions = {}): Promise<void> {
    return this.engine.stop(mode, wait);
  }

  start(wait: WaitOptions = {}): Promise<void> {
    return this.engine.start(wait);
  }

  async restart(mode: StopMode = "fast", wait: WaitOptions = {}): Promise<void> {
    await this.stop(mode, wait);
    await this.start(wait);
  }

  lag(isOn: boolean): Promise<void> {
    return this.engine.lag(isOn);
  }

  replicate(isOn: boolean): Promise<void> {
    return this.engine.replicate(isOn);
  }

  readOnly(isOn: boolean): Promise<void> {
    return this.engine.readOnly(isOn);
  }

  connectionLimit(limit: number | null): Promise<void> {
    return this.engine.connectionLimit(limit);
  }

  async fillDisk(): Promise<void> {
    this.#requireDisk();
    await fillDisk(this.directory);
  }

  async freeDisk(): Promise<void> {
    this.#requireDisk();
    await freeDisk(this.directory);
  }

  terminateBackends(): Promise<number> {
    return this.engine.terminateBackends();
  }

  query<R extends object = Row>(sql: string, params?: readonly unknown[]): Promise<readonly R[]> {
    return this.ask((ask) => ask<R>(sql, params));
  }

  timeline(): Promise<number> {
    return this.engine.timeline();
  }

  logTail(): string {
    return this.server.logTail();
  }

  async ask<T>(work: (ask: Ask) => Promise<T>, wait: WaitOptions = {}): Promise<T> {
    if (!this.isResponsive) throw this.#wrongState(this.isFrozen ? "is frozen and cannot answer" : "is not running");
    let asked = "its login";
    const noting =
      (ask: Ask): Ask =>
      (sql, params) => {
        asked = firstWords(sql);
        return ask(sql, params);
      };
    return bounded(
      () => `an answer of ${this.name} to ${asked}`,
      this.within(wait),
      (signal) => this.#system.connect(this.#system.adminLogin(this), (ask) => work(noting(ask)), signal),
    );
  }

  within(wait: WaitOptions = {}): WaitOptions {
    return { ...wait, signal: wait.signal ? AbortSignal.any([this.#signal, wait.signal]) : this.#signal };
  }

  /** Ends the server and its proxy for good. */
  async close(): Promise<void> {
    await this.#proxy?.close();
    await this.kill();
  }

  #appLogin(port: number): Login {
    const { user, password, database } = this.plan;
    return { host: HOST, port, user, password, database };
  }

  #requireDisk(): void {
    if (this.plan.diskBytes !== undefined) return;
    throw new LabError("not-possible-here", `${this.name} has no disk of its own: make the cluster with diskBytes`, {
      node: this.name,
    });
  }

  #wrongState(what: string): LabError {
    return new LabError("wrong-state", `${this.name} ${what}`, { node: this.name });
  }
}

/** Without what may be a password. */
const firstWords = (sql: string): string => sql.trim().split(/\s+/).slice(0, 3).join(" ");
