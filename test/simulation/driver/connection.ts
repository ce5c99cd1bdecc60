import type { Connection, Result, Statement } from "@mirrorpool/core";
import { NotSentError } from "@mirrorpool/core";
import type { HeldClock } from "../clock.ts";
import type { History, Stand } from "../history.ts";
import type { Random } from "../random.ts";
import type { ClientEnd, Reply, Request } from "../world/backend.ts";
import { Backend } from "../world/backend.ts";
import type { Wire } from "../world/path.ts";
import type { Server } from "../world/server.ts";
import type { World } from "../world/world.ts";
import { SimulatedError } from "./codes.ts";
import { parse } from "./language.ts";

/** A polite goodbye that nobody answers takes this long. */
export const CLOSE_MS = 50;
/** How often a connection breaks just when it is used: no byte of the statement leaves. */
const BREAKS_AT_USE = 0.003;
/** How often a connection is lost in the very moment of an answer, before the pool can look at either. */
const LOST_WITH_ANSWER = 0.005;
/** How often a statement arrives long after its connection was lost. */
const ARRIVES_LATE = 0.01;
/** How often a statement takes effect and its connection is lost with the answer. */
const LOSES_ANSWER = 0.015;

/** What the pool sends by itself on a session's connection, or a session of several callers: nobody says what is set there. */
const OF_SESSIONS: ReadonlySet<string> = new Set(["COMMIT", "ROLLBACK", "TOKENCOMMIT"]);

interface Running {
  readonly request: number;
  readonly isProbe: boolean;
  readonly text: string;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** What all connections of one simulation share. */
export interface Shared {
  readonly world: World;
  readonly clock: HeldClock;
  readonly history: History;
  readonly random: Random;
  readonly connections: Set<SimulatedConnection>;
  stand(): Stand;
  nextId(): number;
}

/** The client's side of one connection. Notes whatever the pool does with it that the port's contract forbids. */
export class SimulatedConnection implements Connection, ClientEnd {
  readonly id: number;
  readonly node: string;
  readonly server: Server;
  readonly #shared: Shared;
  readonly #wire: Wire;
  readonly #backend: Backend;
  readonly #instance: string;
  readonly #closeListeners: (() => void)[] = [];
  #running: Running | undefined;
  /** Sent behind the running one; the server reads on when that is answered. */
  #behind: { readonly running: Running; readonly request: Request }[] = [];
  #status: Exclude<Connection["status"], "busy"> = "idle";
  #isInTransaction = false;
  /** Who has the transaction, or the session state, that is on this connection. */
  #owner: string | undefined;
  #hasState = false;
  /** What is set on it, as far as it was answered. */
  #names: readonly string[] = [];
  /** The request whose answer is lost. */
  #unanswered: number | undefined;
  #isPiping = false;
  /** Whose single write is open here: its COMMIT comes next. */
  #beganFor: number | undefined;
  #probes = 0;

  /** The server has accepted the login; the answer is on its way. */
  constructor(shared: Shared, node: string, server: Server, wire: Wire) {
    this.#shared = shared;
    this.node = node;
    this.server = server;
    this.#wire = wire;
    this.id = shared.nextId();
    this.#instance = server.instance;
    this.#backend = new Backend(server, String(this.id), this);
    server.backends.add(this.#backend);
  }

  /** The client has learnt that the login is through. */
  open(): void {
    this.#shared.connections.add(this);
    this.#shared.history.add({ type: "opened", connection: this.id, node: this.node });
  }

  /** It has been probed once so far: the first thing that is asked of each connection. */
  get isGreeting(): boolean {
    return this.#probes === 1;
  }

  get status(): Connection["status"] {
    return this.#running !== undefined && this.#status !== "closed" ? "busy" : this.#status;
  }

  get isInTransaction(): boolean {
    return this.#isInTransaction;
  }

  begin(opening: Statement, statement: Statement): Promise<Result> {
    return this.#run(statement, opening.text);
  }

  get sessionId(): string {
    return String(this.id);
  }

  run(statement: Statement): Promise<Result> {
    return this.#run(statement);
  }

  readonly pipeline = (statement: Statement): Promise<Result> => this.#run(statement, undefined, true);

  #run(statement: Statement, begin?: string, isPiped: boolean = false): Promise<Result> {
    const { history, stand } = this.#shared;
    const { text } = statement;
    if (this.#running !== undefined && !(isPiped && this.#isPiping))
      history.add({ type: "broken", what: `two statements at once on connection ${this.id}: ${text}` });
    if (!this.#shared.world.isSettled && this.#shared.random.chance(BREAKS_AT_USE)) this.reset();
    if (this.#status === "closed") return Promise.reject(new NotSentError(new SimulatedError("ECONNRESET")));
    const request = this.#shared.nextId();
    const isFirst = begin !== undefined;
    if (isFirst && this.#status !== "idle") this.#breach("BEGIN inside a transaction");
    const inTransaction = isFirst || this.#status !== "idle";
    const { verb } = parse(text);
    this.#checkNames(statement);
    if (verb === "PROBE") {
      this.#probes += 1;
    } else {
      this.#checkOwner(statement);
      const call = typeof statement["call"] === "number" ? statement["call"] : this.#beganFor;
      this.#beganFor = isFirst ? call : undefined;
      history.add({
        type: "sent",
        send: request,
        call,
        holder: this.#owner,
        text,
        connection: this.id,
        node: this.node,
        instance: this.#instance,
        inTransaction,
        isPinned: this.#hasState,
        stand: stand(),
      });
    }
    const isBehind = this.#running !== undefined;
    this.#isPiping = isPiped;
    if (!isBehind) this.#send({ id: request, text, begin });
    return new Promise((resolve, reject) => {
      const running = { request, isProbe: verb === "PROBE", text, resolve, reject };
      if (isBehind) this.#behind.push({ running, request: { id: request, text, begin } });
      else this.#running = running;
    });
  }

  #sendNext(): void {
    const next = this.#behind.shift();
    if (next === undefined || this.#status === "closed") return;
    this.#running = next.running;
    this.#send(next.request);
  }

  /** Now and then something goes wrong just then: much of what a pool promises is about these moments. */
  #send(request: Request): void {
    const { random, clock, world } = this.#shared;
    const deliver = (): void => this.#toServer(() => this.#backend.receive(request));
    const luck = world.isSettled || request.text === "PROBE" ? 1 : random.next();
    if (luck < ARRIVES_LATE) {
      clock.schedule(random.between(0, 5), "socket", () => this.#markClosed());
      clock.schedule(random.between(5, 400), "server", () => {
        deliver();
        this.#toServer(() => this.#backend.leave());
      });
      return;
    }
    if (luck < ARRIVES_LATE + LOSES_ANSWER) this.#unanswered = request.id;
    deliver();
  }

  /** A transaction belongs to one holder from its BEGIN on, and so does what was set. */
  #checkOwner(statement: Statement): void {
    const holder = typeof statement["holder"] === "string" ? statement["holder"] : undefined;
    const { verb } = parse(statement.text);
    const isTied = this.#hasState || this.#status !== "idle";
    if (isTied && verb === "BEGIN" && this.#status !== "idle") this.#breach(`BEGIN inside a transaction`);
    if (isTied && this.#owner !== undefined && holder !== undefined && this.#owner !== holder) {
      this.#breach(`${holder} was given what ${this.#owner} has begun`);
    }
    if (!isTied) this.#owner = undefined;
    this.#owner = holder ?? this.#owner;
  }

  /** A session finds exactly what it has set, and so does the pool itself, which sets nothing. */
  #checkNames(statement: Statement): void {
    const { verb } = parse(statement.text);
    const expected = statement["names"] ?? (OF_SESSIONS.has(verb) ? undefined : []);
    if (verb === "RESTATE" || !Array.isArray(expected)) return;
    const found = this.#names.join(",");
    if (found !== expected.join(","))
      this.#breach(`${statement.text} was given what is set: ${found}, not ${expected.join(",")}`);
  }

  #breach(what: string): void {
    this.#shared.history.add({ type: "broken", what: `connection ${this.id}: ${what}` });
  }

  async cancel(signal: AbortSignal): Promise<void> {
    const { world } = this.#shared;
    // the request has a connection of its own, and so no order with what this one carries
    const wire = world.path(this.server).wire();
    await new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
      wire.send("up", () => {
        if (this.server.instance === this.#instance && this.server.isRunning) {
          this.server.act(() => this.#backend.cancel());
        }
        wire.send("down", resolve);
      });
    });
  }

  destroy(): void {
    if (this.#status === "closed") return;
    this.#markClosed();
    this.#toServer(() => this.#backend.leave());
  }

  async close(): Promise<void> {
    if (this.#status === "closed") return;
    this.destroy();
    await new Promise<void>((resolve) => {
      this.#shared.clock.schedule(CLOSE_MS, "timer", resolve);
      this.#toServer(() => this.#wire.send("down", resolve));
    });
  }

  onClose(listener: () => void): void {
    if (this.#status === "closed") listener();
    else this.#closeListeners.push(listener);
  }

  setRef(): void {}

  /** Both ends see a reset, and what was under way between them is lost. */
  reset(): void {
    this.#markClosed();
    this.server.act(() => this.#backend.leave());
  }

  reply(request: number, reply: Reply): void {
    if (request === this.#unanswered) {
      this.#backend.end();
      return;
    }
    this.#wire.send("down", () => this.#onReply(request, reply));
  }

  hangUp(): void {
    this.#wire.send("down", () => this.#markClosed());
  }

  #toServer(deliver: () => void): void {
    this.#wire.send("up", () => {
      if (!this.server.isRunning || this.server.instance !== this.#instance) this.hangUp();
      else this.server.act(deliver);
    });
  }

  #onReply(request: number, reply: Reply): void {
    const running = this.#running;
    if (running?.request !== request || this.#status === "closed") return;
    const { history } = this.#shared;
    this.#running = undefined;
    this.#status = reply.status;
    this.#isInTransaction = reply.status === "transaction" || reply.status === "failed";
    if (reply.ok) {
      if (reply.command === "LISTEN") this.#hasState = true;
      const { name } = parse(running.text);
      if (reply.command === "SET") this.#names = [...new Set([...this.#names, name])].sort();
      if (reply.command === "RESTATE") this.#names = name === "" ? [] : name.split(",");
      if (!running.isProbe) history.add({ type: "answered", send: request, command: reply.command });
      running.resolve({
        rows: reply.rows as Result["rows"],
        rowCount: reply.command === "BEGIN" ? null : reply.rows.length,
        command: reply.command,
      });
      const { random, world } = this.#shared;
      if (!running.isProbe && !world.isSettled && random.chance(LOST_WITH_ANSWER)) this.reset();
      this.#sendNext();
      return;
    }
    history.add({ type: "answered", send: request, code: reply.code });
    if (reply.isLast) this.#markClosed();
    this.#sendNext();
    running.reject(new SimulatedError(reply.code));
  }

  #markClosed(): void {
    if (this.#status === "closed") return;
    this.#status = "closed";
    this.#shared.connections.delete(this);
    this.#shared.history.add({ type: "closed", connection: this.id, node: this.node });
    const running = this.#running;
    this.#running = undefined;
    const behind = this.#behind.splice(0);
    for (const listener of this.#closeListeners.splice(0)) listener();
    running?.reject(new SimulatedError("ECONNRESET"));
    for (const each of behind) each.running.reject(new SimulatedError("ECONNRESET"));
  }
}
