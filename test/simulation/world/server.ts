import type { Observation } from "@mirrorpool/core";
import type { HeldClock } from "../clock.ts";
import type { Code } from "../driver/codes.ts";
import type { Random } from "../random.ts";
import type { Backend } from "./backend.ts";
import { Locks } from "./locks.ts";
import { formatPosition } from "./positions.ts";

/** What a server can tell of its history: with timelines as PostgreSQL, or with sets of transactions as MySQL. */
export type Flavour = "timelines" | "timelines-of-primaries-only" | "transaction-sets";

/** One committed write. `origin` is the data directory that took it; the object is its identity wherever it was replicated to. */
export interface Entry {
  readonly token: string;
  readonly origin: string;
}

/** One server process with its data. A crash loses the process and keeps the data. */
export class Server {
  readonly id: string;
  readonly systemId: string;
  readonly flavour: Flavour;
  readonly backends: Set<Backend> = new Set();
  readonly locks: Locks = new Locks();
  readonly #clock: HeldClock;
  readonly #random: Random;
  readonly #onCommit: (server: Server, entries: readonly Entry[]) => void;
  log: Entry[] = [];
  /** What it had before it was last rebuilt: an answer that says so may be on its way still. */
  thrownAway: { readonly log: readonly Entry[]; readonly at: number } | undefined;
  role: "primary" | "mirror";
  timeline = 1;
  /** What it had when it was promoted; forgotten with the process. */
  endOfRecovery: string | undefined;
  /** The server that a mirror replicates from. */
  upstream: Server | undefined;
  isRunning = true;
  /** Accepts connections, and says that it is starting. */
  isStarting = false;
  isFrozen = false;
  isReadOnly = false;
  isReplayPaused = false;
  /** Refuses every login with this. */
  loginFault: Code | undefined;
  #process = 1;
  #directory = 1;
  #postponed: (() => void)[] = [];

  constructor(
    id: string,
    systemId: string,
    flavour: Flavour,
    role: Server["role"],
    clock: HeldClock,
    random: Random,
    onCommit: (server: Server, entries: readonly Entry[]) => void,
  ) {
    this.id = id;
    this.systemId = systemId;
    this.flavour = flavour;
    this.role = role;
    this.#clock = clock;
    this.#random = random;
    this.#onCommit = onCommit;
  }

  /** Identity of the running process. */
  get instance(): string {
    return `${this.id}.${this.#process}`;
  }

  /** Identity of the data directory. */
  get origin(): string {
    return `${this.id}${this.#directory}`;
  }

  get takesWrites(): boolean {
    return this.role === "primary" && !this.isReadOnly;
  }

  /** PostgreSQL's switch holds for new transactions only; MySQL's refuses the COMMIT of an open one as well. */
  get mayCommit(): boolean {
    return this.role === "primary" && !(this.isReadOnly && this.flavour === "transaction-sets");
  }

  entry(token: string): Entry {
    return { token, origin: this.origin };
  }

  has(token: string): boolean {
    return this.log.some((entry) => entry.token === token);
  }

  endSession(session: string): void {
    for (const backend of [...this.backends]) if (backend.session === session) backend.terminate(false);
  }

  append(entries: readonly Entry[]): void {
    this.log = [...this.log, ...entries];
    this.#onCommit(this, entries);
  }

  /** What it says of itself, and when: an answer on a slow way arrives after later ones. */
  tell(): { readonly observation: Observation; readonly toldAt: number } {
    return { observation: this.observe(), toldAt: this.#clock.now };
  }

  observe(): Observation {
    const { role, isReadOnly, systemId, instance, log, flavour } = this;
    const isTold = flavour === "timelines" || (flavour === "timelines-of-primaries-only" && role === "primary");
    return {
      role,
      isWritable: role === "primary" && !isReadOnly,
      systemId,
      instance,
      timeline: isTold ? this.timeline : undefined,
      position: formatPosition(log, flavour),
      endOfRecovery: this.endOfRecovery,
      history:
        flavour === "transaction-sets" && role === "primary"
          ? `${this.origin}@${formatPosition(log, flavour)}`
          : undefined,
    };
  }

  /** Does something after the time that a statement takes, unless the process ends before. Returns what takes it back. */
  work(forMs: number | undefined, then: () => void): () => void {
    const instance = this.#process;
    const durationMs = forMs ?? this.#random.between(0.05, 2);
    return this.#clock.schedule(durationMs, "server", () => {
      if (this.#process === instance && this.isRunning) this.act(then);
    });
  }

  /** Does something now; a frozen process does it when it goes on, and never once it was ended. */
  act(what: () => void): void {
    if (this.isFrozen) this.#postponed.push(what);
    else what();
  }

  freeze(): void {
    this.isFrozen = true;
  }

  /** What had arrived meanwhile is done now, in its order. */
  thaw(): void {
    this.isFrozen = false;
    const postponed = this.#postponed;
    this.#postponed = [];
    for (const what of postponed) this.act(what);
  }

  /** The process ends at once. Its clients hear of it, unless the whole machine went down. */
  crash(isHeard: boolean): void {
    this.isRunning = false;
    this.isFrozen = false;
    this.isStarting = false;
    this.#postponed = [];
    for (const backend of [...this.backends]) {
      if (isHeard) backend.end();
      else backend.die();
    }
    this.locks.clear();
  }

  /** Thrown away and copied anew from another server, which it follows then. */
  rebuild(upstream: Server, startupMs: number): void {
    this.crash(true);
    this.thrownAway = { log: this.log, at: this.#clock.now };
    this.#directory += 1;
    this.role = "mirror";
    this.upstream = upstream;
    this.log = upstream.log;
    this.timeline = upstream.timeline;
    this.isReplayPaused = false;
    this.start(startupMs);
  }

  /** A new process on the same data. */
  start(startupMs: number): void {
    if (this.isRunning) this.crash(true);
    this.#process += 1;
    this.endOfRecovery = undefined;
    this.isRunning = true;
    this.isReadOnly = false;
    this.isStarting = true;
    const instance = this.#process;
    this.#clock.schedule(startupMs, "server", () => {
      if (this.#process === instance) this.isStarting = false;
    });
  }
}
