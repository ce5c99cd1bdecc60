import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { Engine, Host } from "../cluster/engine.ts";
import type { StopMode } from "../cluster/server.ts";
import { LabError } from "../errors.ts";
import { write } from "../platform/files.ts";
import { until, type WaitOptions } from "../wait.ts";
import { initFileOf } from "./data-directory.ts";
import { optionFileOf } from "./engine.ts";
import type { GroupFlavor } from "./group-flavor.ts";
import { endSessions, limitConnections, stopServer } from "./sessions.ts";
import { formatSettings, type Settings } from "./settings.ts";

/** What the engines of one group share. */
export interface Group {
  readonly flavor: GroupFlavor;
  /** All nodes, as soon as they are made. */
  readonly hosts: readonly Host[];
  /** Settings of one node, apart from the group's. */
  readonly settings: (host: Host) => Settings;
  /** The server's own account of how far a data directory is. */
  readonly recover: (host: Host) => Promise<string>;
}

/** The engine of a node in a group: who is primary, and who follows, the group settles itself. */
export function createGroupEngine(host: Host, group: Group): Engine {
  return new GroupEngine(host, group);
}

class GroupEngine implements Engine {
  readonly #host: Host;
  readonly #group: Group;
  #isReadOnly = false;

  constructor(host: Host, group: Group) {
    this.#host = host;
    this.#group = group;
  }

  async start(wait: WaitOptions = {}): Promise<void> {
    const host = this.#host;
    const { flavor, recover, settings } = this.#group;
    const isFirst = !(await this.#hasGroup());
    const options = { ...settings(host), ...(this.#isReadOnly && { read_only: "ON" }) };
    await write(optionFileOf(host), formatSettings(options), host.account);
    const initFile = initFileOf(host);
    const more = await flavor.startArguments(host, isFirst, () => recover(host));
    const init = existsSync(initFile) ? [`--init-file=${initFile}`] : [];
    await host.server.start(host.within(wait), [...more, ...init]);
    await rm(initFile, { force: true });
    await host.ask((ask) => flavor.join(ask, host, isFirst), wait);
    await this.waitForStream(wait);
  }

  stop(mode: StopMode, wait: WaitOptions = {}): Promise<void> {
    return stopServer(this.#host, mode, wait);
  }

  async thaw(): Promise<void> {
    this.#host.server.thaw();
  }

  async lag(): Promise<void> {
    throw this.#notPossible("cannot lag");
  }

  async replicate(): Promise<void> {
    throw this.#notPossible("cannot be cut off from its group alone");
  }

  async readOnly(isOn: boolean): Promise<void> {
    this.#isReadOnly = isOn;
    if (!this.#host.isResponsive) return;
    await this.#host.ask((ask) => ask(`SET GLOBAL read_only = ${isOn ? "ON" : "OFF"}`));
  }

  connectionLimit(limit: number | null): Promise<void> {
    return limitConnections(this.#host, limit);
  }

  terminateBackends(): Promise<number> {
    return endSessions(this.#host);
  }

  async timeline(): Promise<number> {
    throw this.#notPossible("has no timeline");
  }

  async received(): Promise<bigint> {
    return this.#host.ask(async (ask) => this.#group.flavor.count(await this.#group.flavor.position(ask)));
  }

  position(wait: WaitOptions = {}): Promise<string> {
    return this.#host.ask((ask) => this.#group.flavor.position(ask), wait);
  }

  async waitForReplay(position: string, wait: WaitOptions = {}): Promise<void> {
    const { flavor } = this.#group;
    await this.#host.ask(
      (ask) =>
        until(
          `${this.#host.name} to have ${position}`,
          async () => flavor.covers(ask, await flavor.position(ask), position),
          this.#host.within(wait),
        ),
      wait,
    );
  }

  /** That it is in the group, and the group works. */
  async waitForStream(wait: WaitOptions = {}): Promise<void> {
    const { name, server } = this.#host;
    await this.#host.ask(
      (ask) =>
        until(`${name} to be in its group`, () => this.#group.flavor.isMember(ask), {
          ...this.#host.within(wait),
          explain: () => `; the end of its log:\n${server.logTail()}`,
        }),
      wait,
    );
  }

  async promote(wait: WaitOptions = {}): Promise<void> {
    const { flavor } = this.#group;
    const host = this.#host;
    let last: unknown;
    await host.ask(
      (ask) =>
        until(
          `${host.name} to take writes`,
          async () => {
            if (await flavor.isWritable(ask)) return true;
            // a group that is electing, or has not noticed yet that it lost its quorum, refuses
            await flavor.lead(ask, host).catch((error: unknown) => {
              last = error;
            });
            return false;
          },
          { everyMs: 50, ...host.within(wait), explain: () => (last === undefined ? "" : `: ${String(last)}`) },
        ),
      wait,
    );
  }

  async follow(): Promise<void> {}

  retire(wait: WaitOptions = {}): Promise<string> {
    return this.position(wait);
  }

  async reinstate(): Promise<void> {}

  demote(_: Host, wait: WaitOptions = {}): Promise<void> {
    return this.waitForStream(wait);
  }

  /** By what it has missed; a group that no longer keeps that gets a new node in its place. */
  async rejoin(_: Host, wait: WaitOptions = {}): Promise<void> {
    await this.#host.server.kill();
    this.#isReadOnly = false;
    await this.start(wait);
  }

  async #hasGroup(): Promise<boolean> {
    const others = this.#group.hosts.filter((host) => host !== this.#host && host.isResponsive);
    const answers = await Promise.all(others.map((host) => host.ask((ask) => this.#group.flavor.isMember(ask))));
    return answers.includes(true);
  }

  #notPossible(what: string): LabError {
    const { name } = this.#host;
    return new LabError("not-possible-here", `${name} ${what}: it is in a group`, { node: name });
  }
}
