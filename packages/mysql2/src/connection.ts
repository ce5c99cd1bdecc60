import type { Socket } from "node:net";
import type { Connection, ConnectTarget, Result, Statement, StatementFacts } from "@mirrorpool/core";
import { NotSentError, outbox } from "@mirrorpool/core";
import mysql from "mysql2";
import { runAgain } from "./again.ts";
import { type CatchUp, catchUpOf } from "./catch-up.ts";
import { ConnectionLost, STALE_NUMBERS, serverNumberOf } from "./classify.ts";
import { type Client, sendQuery } from "./client.ts";
import { Exchanges } from "./exchanges.ts";
import { Guard } from "./guard.ts";
import type { Holder } from "./holder.ts";
import { identityOf } from "./identity.ts";
import { killQuery } from "./kill.ts";
import { type ClientSettings, cut, openClient } from "./open.ts";
import { type Own, ownOf } from "./own.ts";
import { type Callback, Pipeline } from "./pipeline.ts";
import { statusOf, toResult } from "./result.ts";
import { format, submit } from "./submit.ts";
import { MULTI_OFF, MULTI_ON, RESET, type Send, Wire } from "./wire.ts";

/** How long a polite goodbye may take. */
const CLOSE_MS = 500;

export interface ConnectionOptions {
  readonly settings: ClientSettings;
  readonly inspect: (text: string) => StatementFacts;
}

/** Opens a connection and logs in. @throws as {@link openClient} does */
export async function openConnection(
  target: ConnectTarget,
  signal: AbortSignal,
  options: ConnectionOptions,
): Promise<MysqlConnection> {
  return new MysqlConnection(await openClient(target, signal, options.settings), target, options);
}

/** One `mysql2` connection. Its state comes from the status that the server sends with each answer. */
export class MysqlConnection implements Connection {
  readonly #client: Client;
  readonly #target: ConnectTarget;
  readonly #options: ConnectionOptions;
  readonly #wire: Wire;
  readonly #pipeline: Pipeline;
  readonly #exchanges: Exchanges;
  readonly #guard = new Guard();
  readonly #closeListeners: (() => void)[] = [];
  #isClosed = false;
  #isReferenced = true;
  /** On a node that has just become the primary: what its predecessor has acknowledged may be still to come. */
  #mayLag: CatchUp | undefined;
  #served: "primary" | "mirror" | undefined;
  /** The server holds an id for the next row that is made here. */
  #owesId = false;

  constructor(client: Client, target: ConnectTarget, options: ConnectionOptions) {
    this.#client = client;
    this.#target = target;
    this.#options = options;
    // a compressed packet is not to be cut in parts
    this.#wire = new Wire(client, !client.config.compress);
    this.#pipeline = new Pipeline(client);
    this.#exchanges = new Exchanges(this.#wire, () => this.destroy());
    client.on("error", (error) => this.#markClosed(error));
    client.on("end", () => this.#markClosed());
    client.stream.on("close", () => this.#markClosed());
  }

  get status(): Connection["status"] {
    if (this.#isClosed) return "closed";
    if (this.#exchanges.isBusy || this.#pipeline.size > 0) return "busy";
    return this.#wire.isInTransaction ? "transaction" : "idle";
  }

  get isInTransaction(): boolean {
    return this.#wire.isInTransaction;
  }

  get sessionId(): string | undefined {
    return this.#client.threadId?.toString();
  }

  /** Such as `10.11.19-MariaDB`, as the server has greeted us. */
  get serverVersion(): string {
    return this.#client._handshakePacket?.serverVersion ?? "";
  }

  serveAs(role: "primary" | "mirror"): void {
    this.#guard.set(role);
    const identity = identityOf(this);
    if (role !== this.#served) this.#mayLag = role === "primary" && identity ? catchUpOf(identity) : undefined;
    this.#served = role;
  }

  run(statement: Statement): Promise<Result> {
    if (this.#isPlain(statement)) {
      outbox.hold(this.#client.stream);
      return this.#pipe(statement);
    }
    if (ownOf(statement)?.insertId === undefined) return this.#execute(statement, undefined);
    return this.#runAgain(statement);
  }

  async #runAgain(statement: Statement): Promise<Result> {
    const isMariadb = identityOf(this)?.flavour === "mariadb";
    const run = (each: Statement): Promise<Result> => {
      if (ownOf(each)?.setsId === true) this.#owesId = false;
      return this.#execute(each, undefined);
    };
    const { result, isPending } = await runAgain(run, statement, isMariadb);
    this.#owesId = isPending;
    return result;
  }

  /** Undefined where a compressed packet would have to be cut in parts, each read would begin a transaction, or has to wait. */
  get pipeline(): Connection["pipeline"] {
    const isPossible = !this.#client.config.compress && this.#wire.isAutocommit && this.#mayLag === undefined;
    return isPossible ? this.#runPiped : undefined;
  }

  readonly #runPiped = (statement: Statement): Promise<Result> => {
    if (!this.#guard.isDue) return this.#pipe(statement);
    const guarded = this.#pipe({ text: this.#guard.take() });
    return Promise.all([this.#pipe(statement), guarded]).then(([result]) => result);
  };

  /** Nothing goes around it, and whatever comes of it is told by its answer. */
  #isPlain(statement: Statement): boolean {
    const { isInTransaction, isAutocommit } = this.#wire;
    if (isInTransaction || !isAutocommit || this.#guard.isDue || this.#mayLag !== undefined) return false;
    if (statement["execute"] === true || ownOf(statement) !== undefined) return false;
    const { multiple, transaction } = this.#options.inspect(statement.text);
    return !multiple && transaction !== "mixed";
  }

  #pipe(statement: Statement): Promise<Result> {
    const client = this.#client;
    const refusal = this.#refusal(statement);
    if (refusal !== undefined) return Promise.reject(refusal);
    (statement["holder"] as Holder | undefined)?.attach(client);
    return this.#pipeline.add(
      (callback) => submit(client, statement, callback),
      (answer, fields) => {
        this.#wire.note(statusOf(answer, fields));
        return toResult(this.#options.inspect(statement.text), answer, fields);
      },
      (error) => {
        cut(client);
        this.#markClosed(error);
      },
    );
  }

  /** Nothing of the statement is sent. */
  #refusal(statement: Statement): Error | undefined {
    const { values } = statement;
    const { _fatalError, _closing, stream } = this.#client;
    // a transaction that is run again on another connection will know better
    if (_fatalError || _closing || stream.destroyed || this.#owesId) this.destroy();
    if (this.#isClosed) return new NotSentError(new ConnectionLost("the connection is closed"));
    if (values === undefined || Array.isArray(values)) return undefined;
    return new TypeError("the values of a statement must be an array");
  }

  begin(opening: Statement, statement: Statement): Promise<Result> {
    return this.#execute(statement, opening);
  }

  async #execute(statement: Statement, begin: Statement | undefined): Promise<Result> {
    const client = this.#client;
    const refusal = this.#refusal(statement);
    if (refusal !== undefined) throw refusal;
    const own = ownOf(statement);
    const text = own?.textIn?.(this.#target.database, identityOf(this)?.server ?? "") ?? statement.text;
    const prepared = statement["execute"] === true;
    if (own?.isReset === true) this.#forgetSession(own);
    // before anything is sent: what cannot be written as text fails here
    const sql = prepared ? text : ((statement["sql"] as string | undefined) ?? format(client, statement, text));
    const { values = [] } = statement;
    (statement["holder"] as Holder | undefined)?.attach(client);
    if (this.#mayLag !== undefined && !this.#wire.isInTransaction) await this.#catchUp(this.#mayLag);
    const before = this.#before(own, begin);
    const behind = this.#isSeveral(own) ? [() => client.write(MULTI_OFF)] : [];
    // what may begin a transaction itself may fail after that
    const isMixed = this.#options.inspect(text).transaction === "mixed";
    const mayBeOpen = this.#wire.isInTransaction || begin !== undefined || isMixed;
    const formatted = { ...statement, sql, values };
    const send = (callback: Callback): void => submit(client, formatted, callback);
    let outcome = await this.#exchanges.make({ before, send, behind, mayBeOpen });
    if (prepared && STALE_NUMBERS.has(serverNumberOf(outcome.error) ?? 0)) {
      client.unprepare(text);
      const isOpen = this.#wire.isInTransaction || isMixed;
      outcome = await this.#exchanges.make({ before: [], send, behind: [], mayBeOpen: isOpen });
    }
    if (outcome.refusal !== undefined) throw outcome.refusal;
    if (outcome.error !== undefined) throw outcome.error;
    return toResult(this.#options.inspect(text), outcome.answer, outcome.fields);
  }

  /** @throws {ConnectionLost} where the session cannot be made as new: another connection has to do */
  #forgetSession({ hasMoved }: Own): void {
    const isLost = identityOf(this) === undefined || (hasMoved === true && this.#target.database === undefined);
    if (isLost) {
      this.destroy();
      throw new ConnectionLost("what the session had set cannot be undone");
    }
    this.#client._statements?.clear();
  }

  /** @throws {NotSentError} when the node did not catch up in time, or is no longer in its group */
  async #catchUp({ before, text, behind }: CatchUp): Promise<void> {
    const client = this.#client;
    const query = (each: string) => () => sendQuery(client, each);
    const send = (callback: Callback): void => void client.query(text, callback);
    const { error, refusal } = await this.#exchanges.make({
      before: before.map(query),
      send,
      behind: behind.map(query),
      mayBeOpen: false,
    });
    if (error === undefined && refusal === undefined) this.#mayLag = undefined;
    else {
      this.destroy();
      throw new NotSentError(error ?? refusal);
    }
  }

  /** What goes in the same flush before the statement. */
  #before(own: Own | undefined, begin: Statement | undefined): Send[] {
    const client = this.#client;
    const query = (text: string) => () => sendQuery(client, text);
    const sends: Send[] = [];
    if (own?.isReset === true) {
      this.#guard.forget();
      sends.push(() => client.write(RESET));
      const { database } = this.#target;
      if (own.hasMoved === true && database !== undefined) sends.push(query(`USE ${mysql.escapeId(database, true)}`));
      sends.push(...(identityOf(this)?.opened ?? []).map(query));
    }
    if (!this.#wire.isInTransaction && this.#guard.isDue) sends.push(query(this.#guard.take()));
    for (const text of own?.before ?? []) sends.push(query(text));
    if (begin !== undefined) for (const text of [...(ownOf(begin)?.before ?? []), begin.text]) sends.push(query(text));
    if (this.#isSeveral(own)) sends.push(() => client.write(MULTI_ON));
    return sends;
  }

  #isSeveral(own: Own | undefined): boolean {
    return own?.isSeveral === true && this.#client.config.multipleStatements !== true;
  }

  cancel(signal: AbortSignal): Promise<void> {
    const { settings } = this.#options;
    const open = (stream: () => Socket): Promise<MysqlConnection> =>
      openConnection(this.#target, signal, { ...this.#options, settings: { ...settings, stream } });
    return killQuery(this, this.#client, open, signal);
  }

  destroy(): void {
    cut(this.#client);
    this.#markClosed();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#markClosed();
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS);
      this.#client.stream.once("close", () => resolve());
      this.#client.end(() => {}); // whatever goes wrong, the socket is gone then
    });
    clearTimeout(timer);
    cut(this.#client);
  }

  onClose(listener: () => void): void {
    if (this.#isClosed) listener();
    else this.#closeListeners.push(listener);
  }

  setRef(isReferenced: boolean): void {
    if (this.#isClosed || isReferenced === this.#isReferenced) return;
    this.#isReferenced = isReferenced;
    const { stream } = this.#client;
    if (isReferenced) stream.ref();
    else stream.unref();
  }

  #markClosed(cause?: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (!this.#client.stream.destroyed && cause !== undefined) cut(this.#client);
    this.#exchanges.lose(cause);
    this.#pipeline.lose(cause);
    for (const listener of this.#closeListeners.splice(0)) listener();
  }
}
