import type { Call, CallOptions } from "../call.ts";
import type { NodeConfig } from "../config/resolve.ts";
import { checkKeys, isObject, showValue } from "../config/rules.ts";
import type { Connection, Result, Statement } from "../driver.ts";
import {
  AbortedError,
  DeadlineError,
  type MirrorpoolError,
  NotSentError,
  OptionsError,
  PoolClosedError,
  ReservedLostError,
} from "../errors.ts";
import { jittered } from "../jittered.ts";
import { ConnectFailure } from "../pool/connect-failure.ts";
import { freshAfter } from "../routing/freshness.ts";
import { type Demand, mayAnswer, route } from "../routing/route.ts";
import { isUsable, type NodeId } from "../topology/node.ts";
import { until } from "../topology/until.ts";
import { TO_PRIMARY, waitForNode } from "./acquire.ts";
import type { SessionContext } from "./context.ts";
import { Interrupted, run } from "./run.ts";
import { toStatement } from "./statement.ts";
import { Turns } from "./turns.ts";

export interface ReserveOptions extends CallOptions {
  /**
   * `primary` (default); `mirror`: one that is fit for reads, or the primary where there is none; or a node by its name, whatever
   * its role, for a second connection to where the first one leads.
   */
  readonly on?: "primary" | "mirror" | { readonly node: string };
  /** Further settings of the login in the database library's words, such as `{ replication: "database" }` of `pg`. */
  readonly parameters?: Readonly<Record<string, string>>;
}

/** A connection outside of the pool's bounds, to one node for as long as it lives. */
export interface ReservedConnection extends AsyncDisposable {
  /** The node's name. */
  readonly node: string;
  /** False once it was lost, cut off or released. */
  readonly isOpen: boolean;
  /**
   * Runs one statement as it is, on this connection alone.
   * @throws {ReservedLostError} when the connection is lost; {@link DeadlineError} {@link AbortedError}
   * @throws the database library's own error for what the database itself refused
   */
  query<Row = Record<string, unknown>>(
    statement: string | Statement,
    values?: readonly unknown[],
    options?: CallOptions,
  ): Promise<Result<Row>>;
  /** Closes it; a transaction that is open is rolled back. Idempotent. */
  release(): void;
}

type Open = (
  node: NodeConfig,
  parameters: Readonly<Record<string, string>> | undefined,
  signal: AbortSignal,
) => Promise<Connection>;

const OPTIONS = ["on", "parameters", "timeoutMs", "signal"];
/** How long a mirror that has this process's writes is waited for, before the primary will do. */
const MIRROR_WAIT_MS = 2000;
const RETRY_DELAY_MS = 50;

/** The connections that were reserved and not given back: cut with their node, closed with the pool. */
export class Reserved {
  readonly #context: SessionContext;
  readonly #open: Open;
  readonly #held = new Set<Reservation>();

  constructor(context: SessionContext, open: Open) {
    this.#context = context;
    this.#open = open;
  }

  /** @throws {NoPrimaryError} {@link NoNodeError} {@link SplitBrainError} {@link DeadlineError} {@link OptionsError} */
  async reserve(options: ReserveOptions): Promise<ReservedConnection> {
    checkOptions(options);
    const context = this.#context;
    const call = context.createCall(options.timeoutMs ?? context.config.timeouts.failoverMs, options.signal);
    call.throwIfAborted();
    const { on = "primary" } = options;
    const demand = this.#demand(on);
    for (;;) {
      if (context.isClosed) throw new PoolClosedError();
      const node = typeof on === "object" ? on.node : await this.#find(on, demand, call);
      const config = context.config.nodes.find(({ id }) => id === node);
      if (config === undefined) {
        const known = context.config.nodes.map(({ id }) => id).join(", ");
        throw new OptionsError("on.node", `one of ${known}`, showValue(node));
      }
      try {
        const connection = await this.#connect(config, options.parameters, call);
        const isFit = mayAnswer(context.cell.current, demand, node, context.config.routing);
        if (!isFit && typeof on === "string" && !context.isClosed) {
          connection.destroy(); // it gave way, or was superseded, while it let us in
          await call.pause(this.#retryDelayMs());
          continue;
        }
        return this.#hold(new Reservation(context, node, connection, (held) => this.#held.delete(held)));
      } catch (error) {
        if (context.isClosed) throw new PoolClosedError();
        call.throwIfAborted();
        const cause = error instanceof ConnectFailure ? error.cause : error;
        const { kind } = error instanceof ConnectFailure ? error.fault : context.driver.classify(error);
        if (kind === "configuration" || kind === "statement") throw cause;
        if (call.isOver || typeof on === "object") throw new ReservedLostError(node, cause);
        context.suspect();
        await call.pause(this.#retryDelayMs());
      }
    }
  }

  #hold(reservation: Reservation): Reservation {
    if (this.#context.isClosed) {
      reservation.release();
      throw new PoolClosedError();
    }
    this.#held.add(reservation);
    return reservation;
  }

  async #connect(node: NodeConfig, parameters: ReserveOptions["parameters"], call: Call): Promise<Connection> {
    const attempt = new AbortController();
    const opening = this.#open(node, parameters, attempt.signal);
    return call.guard(opening, (cause) => {
      attempt.abort(new Error("the reservation was given up"));
      void opening.then(
        (connection) => connection.destroy(),
        () => {},
      );
      if (cause === "aborted") return new AbortedError(call.signal?.reason);
      return new DeadlineError("connect", node.id, this.#context.environment.now() - call.startedAt);
    });
  }

  #retryDelayMs(): number {
    return jittered(RETRY_DELAY_MS, 0.5, this.#context.environment.random());
  }

  #demand(on: ReserveOptions["on"]): Demand {
    if (on !== "mirror") return TO_PRIMARY;
    const { config, readYourWrites } = this.#context;
    return { intent: "read", freshAfter: freshAfter(config.routing.consistency, readYourWrites) };
  }

  async #find(on: "primary" | "mirror", demand: Demand, call: Call): Promise<NodeId> {
    const { cell, config, environment } = this.#context;
    const { consistency } = config.routing;
    const look = () => route(cell.current, demand, config.routing);
    if (on === "mirror") {
      const isFound = (): boolean => {
        const found = look();
        if (found.type === "nodes" && found.nodes[0] !== cell.current.primary) return true;
        if (consistency === "strong" || config.routing.readFrom === "primary") return true;
        // one that is a mirror, or may yet turn out to be one
        return ![...cell.current.nodes.values()].some(
          (node) => node.status === "unknown" || (isUsable(node) && node.observation?.role === "mirror"),
        );
      };
      await until(cell, isFound, call, MIRROR_WAIT_MS);
    }
    for (;;) {
      if (this.#context.isClosed) throw new PoolClosedError();
      call.throwIfAborted();
      const found = look();
      if (found.type === "nodes") return found.nodes[Math.floor(environment.random() * found.nodes.length)] as NodeId;
      await waitForNode(this.#context, found.reason, demand, call);
    }
  }

  /** The node is lost or fenced: nothing goes on there. */
  cut(node: NodeId): void {
    for (const each of this.#held) if (each.node === node) each.release();
  }

  close(): void {
    for (const each of this.#held) each.release();
  }
}

class Reservation implements ReservedConnection {
  readonly node: NodeId;
  readonly #context: SessionContext;
  readonly #connection: Connection;
  readonly #onEnd: (reservation: Reservation) => void;
  readonly #turns = new Turns();

  constructor(
    context: SessionContext,
    node: NodeId,
    connection: Connection,
    onEnd: (reservation: Reservation) => void,
  ) {
    this.#context = context;
    this.node = node;
    this.#connection = connection;
    this.#onEnd = onEnd;
    connection.onClose(() => this.#onEnd(this));
  }

  get isOpen(): boolean {
    return this.#connection.status !== "closed";
  }

  async query<Row>(
    statement: string | Statement,
    values?: readonly unknown[],
    options: CallOptions = {},
  ): Promise<Result<Row>> {
    const given = toStatement(statement, values);
    const call = this.#context.createCall(options.timeoutMs, options.signal);
    call.throwIfAborted();
    if (!this.#turns.tryTake()) await this.#turns.take(call, (reason) => this.#interruption(reason, given, call));
    try {
      return (await this.#run(given, call)) as Result<Row>; // the rows are what the caller says that they are
    } finally {
      this.#turns.end();
    }
  }

  async #run(statement: Statement, call: Call): Promise<Result> {
    const context = this.#context;
    try {
      return await run(context, { node: this.node, connection: this.#connection }, statement, call);
    } catch (error) {
      if (error instanceof Interrupted) {
        await error.settled;
        throw this.#interruption(error.reason, statement, call);
      }
      const isLost =
        error instanceof NotSentError || (!this.isOpen && context.driver.classify(error).kind !== "statement");
      if (isLost) throw context.isClosed ? new PoolClosedError() : new ReservedLostError(this.node, error);
      throw error;
    }
  }

  #interruption(reason: "deadline" | "aborted", { text }: Statement, call: Call): MirrorpoolError {
    if (reason === "aborted") return new AbortedError(call.signal?.reason);
    if (this.#context.isClosed && !call.isOver) return new PoolClosedError();
    const { command } = this.#context.driver.inspect(text);
    return new DeadlineError(command, this.node, this.#context.environment.now() - call.startedAt);
  }

  release(): void {
    this.#connection.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
  }
}

function checkOptions(options: ReserveOptions): void {
  const given: unknown = options;
  if (!isObject(given)) throw new OptionsError("options", "an object", showValue(given));
  checkKeys("", given, OPTIONS);
  const { on, parameters } = given;
  const isNode = isObject(on) && typeof on["node"] === "string";
  if (on !== undefined && on !== "primary" && on !== "mirror" && !isNode)
    throw new OptionsError("on", '"primary", "mirror" or { node }', showValue(on));
  if (parameters !== undefined && !isObject(parameters))
    throw new OptionsError("parameters", "an object", showValue(parameters));
}
