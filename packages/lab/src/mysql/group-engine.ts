import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import type { Engine, Host } from "../cluster/engine.ts";
import type { Ask } from "../cluster/login.ts";
import type { StopMode } from "../cluster/server.ts";
import { LabError } from "../errors.ts";
import { write } from "../platform/files.ts";
import { until, type WaitOptions } from "../wait.ts";
import { initFileOf } from "./data-directory.ts";
import { optionFileOf } from "./engine.ts";
import type { GroupFlavor } from "./group-flavor.ts";
import { endingSessions, endSessions, limitConnections, stopServer } from "./sessions.ts";
import { formatSettings, type Settings } from "./settings.ts";

/** What the engines of one group share. */
export interface Group {
  readonly flavor: GroupFlavor;
  /** All nodes, as soon as they are made. */
  readonly hosts: readonly Host[];
  /** All settings of one node. */
  readonly settings: (host: Host) => Settings;
  /** The server's own account of how far a data directory is. */
  readonly recover: (host: Host) => Promise<string>;
}

const RETRY_MS = 100;

/** To be let into a group takes some seconds. */
const JOIN_MS = 20_000;

/**
 * A member of Group Replication never notices the loss of one that was frozen, has woken up, and is killed right then. Neither can it
 * be made to found the group anew, nor to leave it: it has to be started again.
 */
const NOTICE_MS = 12_000;

/** What is asked to lead does so within this time, or never answers. */
const LEAD_MS = 8_000;

/**
 * One that the others have not heard of for so long may be put out by them just when it is back, in the few moments in which it still
 * counts as silent. All seem to be together until they hear of that.
 */
const SUSPICIOUS_MS = 3_000;
const SETTLED_MS = 3_000;

/** The engine of a node in a group: who is primary, and who follows, the group settles itself. */
export function createGroupEngine(host: Host, group: Group): Engine {
  return new GroupEngine(host, group);
}

class GroupEngine implements Engine {
  readonly #host: Host;
  readonly #group: Group;
  #isReadOnly = false;
  /** Until then nobody knows whether it still is in the group. */
  #unsettledUntil = 0;

  constructor(host: Host, group: Group) {
    this.#host = host;
    this.#group = group;
  }

  /** Joins the group. Where no other node runs it founds it anew, with all that this node has. */
  async start(wait: WaitOptions = {}): Promise<void> {
    const host = this.#host;
    const { flavor, recover, settings } = this.#group;
    const isFirst = await this.#isFirst();
    await until(`the group to notice that ${host.name} was gone`, async () => !(await this.#isSeen()), {
      everyMs: RETRY_MS,
      ...host.within(wait),
    });
    await write(optionFileOf(host), formatSettings(settings(host)), host.account);
    const initFile = initFileOf(host);
    const isNew = existsSync(initFile);
    const more = await flavor.startArguments(host, { isNew, isFirst, recover: () => recover(host) });
    await host.server.start(host.within(wait), [...more, ...(isNew ? [`--init-file=${initFile}`] : [])]);
    await rm(initFile, { force: true });
    const join = async (ask: Ask): Promise<boolean> => {
      await flavor.join(ask, host, isFirst);
      return true;
    };
    await this.#untilDone("join its group", join, { timeoutMs: JOIN_MS, ...wait });
    await this.waitForStream(wait);
    if (this.#isReadOnly) await this.readOnly(true);
  }

  async stop(mode: StopMode, wait: WaitOptions = {}): Promise<void> {
    if (mode !== "smart" && this.#host.isResponsive) await this.#host.ask(this.#group.flavor.leave, wait);
    await stopServer(this.#host, mode, wait);
  }

  async thaw(): Promise<void> {
    const { server } = this.#host;
    const now = performance.now();
    if (now - (server.silentSince ?? now) >= SUSPICIOUS_MS) this.#unsettledUntil = now + SETTLED_MS;
    server.thaw();
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
    await this.#host.ask((ask) => endingSessions(this.#host, () => this.#group.flavor.readOnly(ask, isOn)));
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
    const isThere = async (ask: Ask) => flavor.covers(ask, await flavor.position(ask), position);
    await this.#untilDone(`have ${position}`, isThere, wait);
  }

  /** That it is in the group, and the group works. */
  async waitForStream(wait: WaitOptions = {}): Promise<void> {
    await this.#untilDone("be in its group", (ask) => this.#group.flavor.isMember(ask), wait);
  }

  async promote(wait: WaitOptions = {}): Promise<void> {
    const { flavor, hosts } = this.#group;
    let isBlind = false;
    const lead = async (ask: Ask): Promise<boolean> => {
      // as long as it has not noticed that it lost its quorum, it seems to take writes, and a question might never be answered
      const gone = hosts.filter((host) => !host.isResponsive);
      const seen = await Promise.all(gone.map((host) => flavor.sees(ask, host)));
      if (seen.includes("member")) {
        const now = performance.now();
        const lastGoneAt = Math.max(...gone.map(({ server }) => server.silentSince ?? now));
        isBlind = gone.length * 2 >= hosts.length && now >= lastGoneAt + NOTICE_MS;
        return isBlind;
      }
      if (await flavor.isWritable(ask)) return true;
      // one that is electing refuses
      const leading = flavor.lead(ask, this.#host);
      leading.catch(() => {}); // it is waited for here, and not for ever
      isBlind = await Promise.race([leading.then(() => false), pause(LEAD_MS).then(() => true)]);
      return isBlind || flavor.isWritable(ask);
    };
    await this.#untilDone("take writes", lead, wait);
    if (!isBlind) return;
    await this.#host.server.kill();
    await this.start(wait);
    await this.#untilDone("take writes", (ask) => flavor.isWritable(ask), wait);
  }

  async follow(): Promise<void> {}

  retire(wait: WaitOptions = {}): Promise<string> {
    return this.position(wait);
  }

  async reinstate(): Promise<void> {}

  demote(_: Host, wait: WaitOptions = {}): Promise<void> {
    return this.waitForStream(wait);
  }

  /** By what it has missed. Where it is in the group there is nothing to do: its end might cost that the quorum. */
  async rejoin(primary: Host, wait: WaitOptions = {}): Promise<void> {
    this.#isReadOnly = false;
    await this.#withinNotice(async () => {
      if (!(await this.#isMember(this.#host))) return true;
      return performance.now() >= this.#unsettledUntil && (await this.#isWith(primary));
    }, wait);
    if (await this.#isWith(primary)) return this.readOnly(false);
    await this.#host.server.kill();
    const isNoticed = await this.#withinNotice(async () => !(await this.#isSeen()), wait);
    if (!isNoticed || !(await this.#isLetIn(wait))) await this.#foundAnew(primary, wait);
  }

  /**
   * Starts it. @returns false where the group does not answer: its members show no longer that this one was there, and still take it
   * for an older one of the same address ("Old incarnation found"), for ever
   */
  async #isLetIn(wait: WaitOptions): Promise<boolean> {
    try {
      await this.start(wait);
      return true;
    } catch (error) {
      if (!(error instanceof LabError) || error.code !== "timeout" || wait.timeoutMs !== undefined) throw error;
      await this.#host.server.kill();
      return false;
    }
  }

  /** Two of three that have left a group without telling it are believed to be there, for ever: it begins anew with the primary. */
  async #foundAnew(primary: Host, wait: WaitOptions): Promise<void> {
    const others = this.#group.hosts.filter((host) => host !== primary && host.server.pid !== undefined);
    await Promise.all(others.map((host) => host.server.kill()));
    await primary.server.kill();
    await new GroupEngine(primary, this.#group).start(wait);
    await this.start(wait);
    for (const host of others) await new GroupEngine(host, this.#group).start(wait);
  }

  /** @returns false where it does not come about in the time in which a member notices what has become of others */
  async #withinNotice(isSo: () => Promise<boolean>, wait: WaitOptions): Promise<boolean> {
    const by = performance.now() + NOTICE_MS;
    let holds = false;
    const isDecided = async (): Promise<boolean> => {
      holds = await isSo();
      return holds || performance.now() >= by;
    };
    await until("the group to notice", isDecided, { everyMs: RETRY_MS, ...this.#host.within(wait) });
    return holds;
  }

  /** Where others run, but not as a group, a new one beside them might be a second one. */
  async #isFirst(): Promise<boolean> {
    const { name } = this.#host;
    const others = this.#group.hosts.filter((host) => host !== this.#host && host.server.pid !== undefined);
    if (others.length === 0) return true;
    const members = await Promise.all(others.map((host) => this.#isMember(host)));
    if (members.includes(true)) return false;
    const names = others.map((host) => host.name).join(" and ");
    throw new LabError("wrong-state", `${name} finds no group: promote ${names} first, or kill`, { node: name });
  }

  async #isSeen(): Promise<boolean> {
    const others = this.#group.hosts.filter((host) => host !== this.#host && host.isResponsive);
    const ask = (host: Host) => host.ask((each) => this.#group.flavor.sees(each, this.#host)).catch(() => undefined);
    return (await Promise.all(others.map(ask))).some((seen) => seen !== undefined);
  }

  /** One that was frozen, and put out meanwhile, believes for some seconds that it is still in its group. */
  async #isWith(primary: Host): Promise<boolean> {
    if (!(await this.#isMember(this.#host)) || !(await this.#isMember(primary))) return false;
    const { view } = this.#group.flavor;
    return (await this.#host.ask(view)) === (await primary.ask(view));
  }

  async #isMember(host: Host): Promise<boolean> {
    if (!host.isResponsive) return false;
    // it may just be ending its sessions, because it leaves
    return host.ask((ask) => this.#group.flavor.isMember(ask)).catch(() => false);
  }

  /** On a new connection each time: a node that joins or leaves may end its sessions. */
  async #untilDone(what: string, work: (ask: Ask) => Promise<boolean>, wait: WaitOptions): Promise<void> {
    const { name, server } = this.#host;
    let last: unknown;
    await until(
      `${name} to ${what}`,
      async () => {
        try {
          return await this.#host.ask(work, wait);
        } catch (error) {
          if (error instanceof LabError) throw error;
          last = error;
          return false;
        }
      },
      {
        everyMs: RETRY_MS,
        ...this.#host.within(wait),
        explain: () => `${last === undefined ? "" : `: ${String(last)}`}; the end of its log:\n${server.logTail()}`,
      },
    );
  }

  #notPossible(what: string): LabError {
    const { name } = this.#host;
    return new LabError("not-possible-here", `${name} ${what}: it is in a group`, { node: name });
  }
}
