import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Engine, Host } from "../cluster/engine.ts";
import type { Ask } from "../cluster/login.ts";
import type { StopMode } from "../cluster/server.ts";
import { LabError } from "../errors.ts";
import { write } from "../platform/files.ts";
import { until, type WaitOptions } from "../wait.ts";
import { initFileOf, makeDataDirectory } from "./data-directory.ts";
import type { Flavor } from "./flavor.ts";
import { endingSessions, endSessions, limitConnections, stopServer } from "./sessions.ts";
import { formatSettings, type Settings } from "./settings.ts";

/** More than a cluster has nodes. */
const SERVER_ID_STEP = 10;

/** How long a mirror may take to stop before it is interrupted. */
const STOP_PATIENCE_MS = 500;

/** The option file of a node. */
export function optionFileOf({ run, name }: Pick<Host, "run" | "name">): string {
  return join(run, `${name}.cnf`);
}

/**
 * The engine of a MariaDB or MySQL node.
 * @param base the data directory of which all nodes are copies
 */
export function createEngine(host: Host, flavor: Flavor, settings: Settings, base: string): Engine {
  return new MysqlEngine(host, flavor, settings, base);
}

class MysqlEngine implements Engine {
  readonly #host: Host;
  readonly #flavor: Flavor;
  readonly #settings: Settings;
  readonly #base: string;
  /** Its primary, when it is a mirror. */
  #upstream: Host | undefined;
  /** Whom the server itself was told to follow. */
  #followed: Host | undefined;
  #isLagging = false;
  #isReplicating = true;
  #isReadOnly = false;
  /** How often it became a new copy. */
  #copies = 0;

  constructor(host: Host, flavor: Flavor, settings: Settings, base: string) {
    this.#host = host;
    this.#flavor = flavor;
    this.#settings = settings;
    this.#base = base;
  }

  async start(wait: WaitOptions = {}): Promise<void> {
    const { account, number, plan, server } = this.#host;
    const isMirror = this.#upstream !== undefined;
    const options = formatSettings({
      ...this.#settings,
      // clusters that follow each other need ids of their own: what is set comes before the nodes' numbers
      server_id: String(Number(this.#settings["server_id"] ?? 0) + number + this.#copies * SERVER_ID_STEP),
      read_only: isMirror || this.#isReadOnly ? "ON" : "OFF",
      ...(plan.synchronous && { [this.#flavor.commitWaits]: isMirror ? "OFF" : "ON" }),
    });
    await write(optionFileOf(this.#host), options, account);
    const initFile = initFileOf(this.#host);
    await server.start(this.#host.within(wait), existsSync(initFile) ? [`--init-file=${initFile}`] : []);
    await rm(initFile, { force: true });
    this.#isLagging = false;
    if (this.#upstream) await this.#replicateNow(wait);
  }

  stop(mode: StopMode, wait: WaitOptions = {}): Promise<void> {
    return stopServer(this.#host, mode, wait);
  }

  async thaw(): Promise<void> {
    this.#host.server.thaw();
    if (this.#host.isResponsive && this.#upstream && this.#followed !== this.#upstream) await this.#replicateNow();
  }

  async lag(isOn: boolean): Promise<void> {
    this.#requireUpstream();
    await this.#ask(isOn ? this.#flavor.stop("SQL_THREAD") : this.#flavor.start("SQL_THREAD"));
    this.#isLagging = isOn;
  }

  async replicate(isOn: boolean): Promise<void> {
    this.#requireUpstream();
    this.#isReplicating = isOn;
    if (!this.#host.isResponsive) return;
    await this.#ask(isOn ? this.#flavor.start("IO_THREAD") : this.#flavor.stop("IO_THREAD"));
    if (isOn) await this.waitForStream();
  }

  async readOnly(isOn: boolean): Promise<void> {
    this.#isReadOnly = isOn;
    if (!this.#host.isResponsive) return;
    const isReadOnly = isOn || this.#upstream !== undefined;
    await this.#host.ask((ask) => this.#setReadOnly(ask, isReadOnly));
  }

  connectionLimit(limit: number | null): Promise<void> {
    return limitConnections(this.#host, limit);
  }

  terminateBackends(): Promise<number> {
    return endSessions(this.#host);
  }

  async timeline(): Promise<number> {
    const { name } = this.#host;
    const { title } = this.#flavor.wanted;
    throw new LabError("not-possible-here", `${name} has no timeline: ${title} knows none`, { node: name });
  }

  async received(): Promise<bigint> {
    return this.#flavor.count((await this.#status())?.received ?? "");
  }

  position(wait: WaitOptions = {}): Promise<string> {
    return this.#host.ask((ask) => this.#flavor.position(ask), wait);
  }

  async waitForReplay(position: string, wait: WaitOptions = {}): Promise<void> {
    await this.#host.ask((ask) => this.#untilReplayed(ask, position, wait), wait);
  }

  async waitForStream(wait: WaitOptions = {}): Promise<void> {
    const primary = this.#upstream;
    if (!primary) return;
    const { name, server } = this.#host;
    const wanted = await primary.ask((ask) => this.#flavor.position(ask), wait);
    let message = "";
    await this.#host.ask(
      (ask) =>
        until(
          `${primary.name} to stream ${wanted} to ${name}`,
          async () => {
            const status = await this.#flavor.status(ask);
            if (!status) return false;
            message = `${status.message} (it has ${status.received})`;
            if (status.isRefused) throw new Diverged(name, message);
            if (!status.isReceiving || (!status.isApplying && !this.#isLagging)) return false;
            return this.#flavor.covers(ask, status.received, wanted);
          },
          { ...this.#host.within(wait), explain: () => `: ${message}; the end of its log:\n${server.logTail()}` },
        ),
      wait,
    );
  }

  async promote(wait: WaitOptions = {}): Promise<void> {
    const flavor = this.#flavor;
    await this.#host.ask(async (ask) => {
      // first, because MariaDB drops what it has received when both threads are stopped
      if (this.#isLagging) await ask(flavor.start("SQL_THREAD"));
      await ask(flavor.stop("IO_THREAD"));
      const status = await flavor.status(ask);
      await this.#untilReplayed(ask, status?.received ?? "", wait);
      await this.#stopBoth(ask);
      await ask(flavor.forget);
      if (this.#host.plan.synchronous) await ask(`SET GLOBAL ${flavor.commitWaits} = ON`);
      if (!this.#isReadOnly) await ask(flavor.readOnly(false));
    }, wait);
    this.#upstream = undefined;
    this.#followed = undefined;
    this.#isLagging = false;
    this.#isReplicating = true;
  }

  async letGo(wait: WaitOptions = {}): Promise<boolean> {
    if (!this.#isReplicating) return false;
    await this.#ask(this.#flavor.stop("IO_THREAD"), wait);
    return true;
  }

  async follow(primary: Host): Promise<void> {
    this.#upstream = primary;
    // it was cut off from another one
    this.#isReplicating = true;
    if (this.#host.isResponsive) await this.#replicateNow();
  }

  async retire(wait: WaitOptions = {}): Promise<string> {
    try {
      return await this.#host.ask(async (ask) => {
        await this.#setReadOnly(ask, true);
        return this.#flavor.position(ask);
      }, wait);
    } catch (error) {
      await this.reinstate({ ...wait, signal: undefined });
      throw error;
    }
  }

  async reinstate(wait: WaitOptions = {}): Promise<void> {
    await this.#ask(this.#flavor.readOnly(this.#isReadOnly), wait);
  }

  async demote(primary: Host, wait: WaitOptions = {}): Promise<void> {
    await this.follow(primary);
    await this.waitForStream(wait);
  }

  /** By its position, if its primary has all that it has; else it becomes a new copy and replays everything. */
  async rejoin(primary: Host, wait: WaitOptions = {}): Promise<void> {
    const { server } = this.#host;
    await server.kill();
    this.#upstream = primary;
    this.#followed = undefined;
    this.#isReplicating = true;
    this.#isReadOnly = false;
    try {
      await this.start(wait);
      await this.waitForStream(wait);
    } catch (error) {
      const isFatal = error instanceof Diverged || (error instanceof LabError && error.code === "server-failed");
      if (!isFatal) throw error;
      await server.kill();
      this.#followed = undefined;
      // a server leaves out what has its own id, and so what it wrote itself before
      this.#copies++;
      await makeDataDirectory(this.#host, this.#base, this.#host.within(wait).signal);
      await this.start(wait);
      await this.waitForStream(wait);
    }
  }

  #setReadOnly(ask: Ask, isOn: boolean): Promise<void> {
    return endingSessions(this.#host, () => ask(this.#flavor.readOnly(isOn)));
  }

  /** Makes the running server follow its primary. */
  async #replicateNow(wait: WaitOptions = {}): Promise<void> {
    const upstream = this.#upstream;
    if (!upstream) return;
    const flavor = this.#flavor;
    const { host, superuser, name } = this.#host;
    const port = upstream.extraPorts[0] ?? upstream.directPort;
    await this.#host.ask(async (ask) => {
      // a former primary must not write while it is made a mirror
      await this.#setReadOnly(ask, true);
      if (this.#host.plan.synchronous) await ask(`SET GLOBAL ${flavor.commitWaits} = OFF`);
      if (this.#followed !== upstream) {
        const own = await flavor.position(ask);
        if (upstream.isResponsive) {
          const theirs = await upstream.ask((askPrimary) => flavor.history(askPrimary), wait);
          if (!(await flavor.canFollow(ask, own, theirs)))
            throw new Diverged(name, `it has ${own}, its primary ${theirs}`);
        }
        await this.#stopBoth(ask);
        for (const statement of flavor.follow({ host, port, ...superuser })) await ask(statement);
        this.#followed = upstream;
      }
      if (this.#isReplicating) await ask(flavor.start("IO_THREAD"));
      if (!this.#isLagging) await ask(flavor.start("SQL_THREAD"));
    }, wait);
  }

  async #stopBoth(ask: Ask): Promise<void> {
    const { stop, interrupt } = this.#flavor;
    const hurry = (): void => {
      if (interrupt) this.#host.ask(interrupt).catch(() => {}); // it may have stopped meanwhile
    };
    const timer = setTimeout(hurry, STOP_PATIENCE_MS);
    try {
      await ask(stop(""));
    } finally {
      clearTimeout(timer);
    }
  }

  async #untilReplayed(ask: Ask, position: string, wait: WaitOptions): Promise<void> {
    await until(
      `${this.#host.name} to replay ${position}`,
      async () => this.#flavor.covers(ask, await this.#flavor.position(ask), position),
      { everyMs: 2, ...this.#host.within(wait) },
    );
  }

  #status() {
    return this.#host.ask((ask) => this.#flavor.status(ask));
  }

  async #ask(sql: string, wait: WaitOptions = {}): Promise<void> {
    await this.#host.ask((ask) => ask(sql), wait);
  }

  #requireUpstream(): void {
    const { name } = this.#host;
    if (this.#upstream) return;
    throw new LabError("wrong-state", `${name} is no mirror: it has nobody to replicate from`, { node: name });
  }
}

/** The mirror has something that its primary does not have. */
class Diverged extends LabError {
  constructor(node: string, message: string) {
    super("server-failed", `${node} cannot follow its primary: ${message}`, { node });
  }
}
