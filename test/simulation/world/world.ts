import type { HeldClock } from "../clock.ts";
import type { History } from "../history.ts";
import type { Random } from "../random.ts";
import { Path } from "./path.ts";
import type { Flavour } from "./server.ts";
import { Server } from "./server.ts";

/** How a replicated cluster is laid out. */
export interface WorldOptions {
  readonly nodes: readonly string[];
  readonly flavour: Flavour;
  /** One way from the client to a server. */
  readonly latencyMs: number;
  /** Typical delay of replication. */
  readonly replicationMs: number;
}

/** Identity of the cluster that the pool is for. */
export const SYSTEM = "system-1";
/** Each node was probed by then, also where the pool is in no hurry. */
const SEEN_BY_THEN_MS = 1300;

/** The servers, what leads to them, and what flows between them. The first one starts as the primary. */
export class World {
  readonly clock: HeldClock;
  readonly history: History;
  readonly random: Random;
  readonly #options: WorldOptions;
  readonly #servers = new Map<string, Server>();
  readonly #paths = new Map<Server, Path>();
  /** Which server a node's address leads to. */
  readonly #addresses = new Map<string, Server>();
  /** Servers whose connections to other servers are cut. */
  readonly #isolated = new Set<Server>();
  /** All troubles are over. */
  isSettled = false;

  constructor(clock: HeldClock, history: History, random: Random, options: WorldOptions) {
    this.clock = clock;
    this.history = history;
    this.random = random;
    this.#options = options;
    for (const node of options.nodes) this.#addresses.set(node, this.addServer(node, SYSTEM));
    for (const server of this.servers.slice(1)) {
      server.role = "mirror";
      server.upstream = this.servers[0];
    }
  }

  /** Members of the cluster and strangers. */
  get servers(): readonly Server[] {
    return [...this.#servers.values()];
  }

  get members(): readonly Server[] {
    return this.servers.filter(({ systemId }) => systemId === SYSTEM);
  }

  get mirrors(): readonly Server[] {
    return this.members.filter(({ role }) => role === "mirror");
  }

  /** The claimant on the highest timeline: that whose writes count. */
  get primary(): Server | undefined {
    return this.claimants[0];
  }

  /** Those that nobody can tell from the true one: after two promotions from one ancestor, or where there are no timelines. */
  get claimants(): readonly Server[] {
    const claimants = this.members.filter(({ role }) => role === "primary").sort((a, b) => b.timeline - a.timeline);
    if (this.#options.flavour === "transaction-sets") return claimants;
    return claimants.filter(({ timeline }) => timeline === claimants[0]?.timeline);
  }

  addServer(id: string, systemId: string): Server {
    const onCommit: ConstructorParameters<typeof Server>[6] = (server, entries) => {
      for (const { token } of entries) {
        const isAgain = server.log.filter((entry) => entry.token === token).length > 1;
        this.history.add({ type: "applied", token, server: server.id, timeline: server.timeline, isAgain });
      }
      for (const mirror of this.members) if (mirror.upstream === server) this.replicateSoon(mirror);
    };
    const { flavour, latencyMs } = this.#options;
    const server = new Server(id, systemId, flavour, "primary", this.clock, this.random.fork(), onCommit);
    this.#servers.set(id, server);
    this.#paths.set(server, new Path(this.clock, this.random.fork(), latencyMs));
    return server;
  }

  path(server: Server): Path {
    return this.#paths.get(server) as Path; // made together with its server
  }

  serverAt(node: string): Server {
    return this.#addresses.get(node) as Server; // the driver is asked for the simulation's own nodes only
  }

  /** A node's address leads elsewhere from now on; open connections stay where they are. */
  pointTo(node: string, server: Server): void {
    this.#addresses.set(node, server);
  }

  isolate(server: Server): void {
    this.#isolated.add(server);
  }

  rejoin(server: Server): void {
    this.#isolated.delete(server);
    for (const mirror of this.mirrors) this.replicateSoon(mirror);
  }

  replicateSoon(mirror: Server): void {
    const delay = this.#options.replicationMs * this.random.between(0.2, 3);
    this.clock.schedule(delay, "server", () => this.#replicate(mirror));
  }

  /** Takes over all that the upstream has by now, where that continues the mirror's own history. */
  #replicate(mirror: Server): void {
    const { upstream } = mirror;
    if (mirror.role !== "mirror" || upstream === undefined || mirror.isReplayPaused) return;
    if (!isAwake(mirror) || !isAwake(upstream) || this.#isolated.has(mirror) || this.#isolated.has(upstream)) return;
    const last = mirror.log.at(-1);
    if (last !== undefined && upstream.log[mirror.log.length - 1] !== last) return;
    mirror.log = upstream.log;
    mirror.timeline = upstream.timeline;
  }

  /** Makes a mirror the primary of a new timeline, with what it has. Its sessions survive. */
  promote(server: Server): void {
    if (!isAwake(server) || server.role !== "mirror") return;
    server.role = "primary";
    server.timeline += 1;
    server.upstream = undefined;
    server.isReplayPaused = false;
    server.endOfRecovery = server.observe().position;
    this.fault(`${server.id} is promoted to timeline ${server.timeline} with ${server.log.length} writes`);
  }

  /** Has a server follow another one: as it is where its history allows, else rebuilt. Nobody throws a newer timeline away. */
  follow(server: Server, upstream: Server): void {
    if (server === upstream || server.timeline > upstream.timeline) return;
    const last = server.log.at(-1);
    const isBehind = last === undefined || upstream.log[server.log.length - 1] === last;
    if (server.role === "mirror" && isAwake(server) && isBehind) {
      server.upstream = upstream;
      this.replicateSoon(server);
      this.fault(`${server.id} follows ${upstream.id}`);
    } else {
      server.rebuild(upstream, this.random.between(0, 80));
      this.fault(`${server.id} is rebuilt from ${upstream.id} as ${server.instance}`);
    }
  }

  /** Ends all troubles: the claimant on the highest timeline is the primary, and all others follow it. */
  settle(): void {
    this.isSettled = true;
    this.fault("all troubles end");
    for (const [node, server] of this.#addresses) {
      if (server.systemId !== SYSTEM) this.#addresses.set(node, this.#servers.get(node) as Server);
    }
    for (const server of this.members) {
      this.#isolated.delete(server);
      server.loginFault = undefined;
      server.isReadOnly = false;
      server.isReplayPaused = false;
      if (!server.isRunning) server.start(20);
      server.thaw();
      this.path(server).heal();
    }
    const { primary } = this;
    if (primary !== undefined && this.#options.flavour === "transaction-sets") this.#electAnew(primary);
    else if (primary !== undefined) this.#gatherAround(primary);
  }

  #gatherAround(primary: Server): void {
    for (const server of this.members) {
      if (server !== primary && !(server.role === "mirror" && server.upstream === primary))
        this.follow(server, primary);
      else this.replicateSoon(server);
    }
  }

  /**
   * Without timelines nobody can tell a former primary that was promoted again from one that has missed everything, unless
   * it was seen following in between: they all are mirrors for a while.
   */
  #electAnew(best: Server): void {
    best.role = "mirror";
    best.start(20);
    this.#gatherAround(best);
    this.clock.schedule(SEEN_BY_THEN_MS, "server", () => {
      if (this.primary === undefined) this.promote(best);
    });
  }

  /** Notes what is done to the cluster. */
  fault(what: string): void {
    this.history.add({ type: "fault", what });
  }
}

function isAwake(server: Server): boolean {
  return server.isRunning && !server.isFrozen;
}
