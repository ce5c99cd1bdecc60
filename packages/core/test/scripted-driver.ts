import type { Connection, Driver, Observation, Result, Statement, StatementFacts } from "../src/driver.ts";
import { NotSentError } from "../src/errors.ts";
import { facts, positions } from "./fixtures.ts";

/** An error with a code that says what kind of fault it is. */
export class ScriptedError extends Error {
  readonly kind: "gone" | "read-only" | "statement" | "refused" | "not-ready" | "rolled-back";
  constructor(kind: ScriptedError["kind"]) {
    super(kind);
    this.kind = kind;
  }
}

/** A server that does as the test says. */
export interface ScriptedServer {
  observation: Observation;
  /** What a statement answers; pending for ever where nothing does. Default: an empty result at once. */
  answer?: (text: string) => Promise<Partial<Result>>;
  /** A cancel ends the statement that runs. Default: it does nothing. */
  takesCancels?: boolean;
  /** Logins wait for this. */
  login?: Promise<void>;
}

/** One connection, with all that it was given. */
class ScriptedConnection implements Connection {
  readonly node: string;
  readonly sessionId: string | undefined = undefined;
  readonly given: string[] = [];
  readonly #server: ScriptedServer;
  readonly #listeners: (() => void)[] = [];
  #status: Exclude<Connection["status"], "busy"> = "idle";
  #end: ((error: ScriptedError) => void) | undefined;
  isInTransaction = false;

  constructor(node: string, server: ScriptedServer) {
    this.node = node;
    this.#server = server;
  }

  get status(): Connection["status"] {
    return this.#end !== undefined && this.#status !== "closed" ? "busy" : this.#status;
  }

  async run({ text }: Statement): Promise<Result> {
    if (this.#status === "closed") throw new NotSentError();
    if (text !== "PROBE") this.given.push(text);
    const ended = new Promise<never>((_, reject) => {
      this.#end = reject;
    });
    const work = this.#server.answer?.(text) ?? Promise.resolve({});
    try {
      const answer = await Promise.race([work, ended]);
      if (text.startsWith("BEGIN")) this.#status = "transaction";
      if (text === "COMMIT" || text === "ROLLBACK") this.#status = "idle";
      this.isInTransaction = this.#status === "transaction";
      return { rows: [], rowCount: text.startsWith("BEGIN") ? null : 0, command: text.split(" ")[0] ?? "", ...answer };
    } catch (error) {
      if (this.#status === "transaction") this.#status = "failed";
      throw error;
    } finally {
      this.#end = undefined;
    }
  }

  async begin(opening: Statement, statement: Statement): Promise<Result> {
    await this.run(opening);
    return this.run(statement);
  }

  async cancel(): Promise<void> {
    if (this.#server.takesCancels === true) this.#end?.(new ScriptedError("statement"));
  }

  destroy(): void {
    if (this.#status === "closed") return;
    this.#status = "closed";
    this.#end?.(new ScriptedError("gone"));
    for (const listener of this.#listeners) listener();
  }

  async close(): Promise<void> {
    this.destroy();
  }

  onClose(listener: () => void): void {
    this.#listeners.push(listener);
  }

  setRef(): void {}
}

export interface ScriptedDriver extends Driver {
  readonly connections: readonly ScriptedConnection[];
}

/** Statements are words: `READ …`, `WRITE …`, `LOCK …` (state that cannot move), `BEGIN`, `COMMIT`, `ROLLBACK`. Hosts are the servers' names. */
export function scriptedDriver(servers: Readonly<Record<string, ScriptedServer>>): ScriptedDriver {
  const connections: ScriptedConnection[] = [];
  return {
    name: "scripted",
    defaultPort: 1,
    positions,
    connections,
    transactions: { begin: () => "BEGIN", commit: "COMMIT", rollback: "ROLLBACK" },
    parseUrl: (host) => ({ host, port: 1 }),
    connect: async ({ host }, signal) => {
      const server = servers[host];
      if (server === undefined) throw new ScriptedError("refused");
      await server.login;
      signal.throwIfAborted();
      const connection = new ScriptedConnection(host, server);
      connections.push(connection);
      return connection;
    },
    probe: async (connection) => {
      await connection.run({ text: "PROBE" });
      return servers[(connection as ScriptedConnection).node]?.observation as Observation; // of the servers above
    },
    classify: (error) => ({ kind: error instanceof ScriptedError ? error.kind : "statement", code: undefined }),
    inspect: (text) => inspect(text.split(" ")[0] ?? ""),
  };
}

function inspect(command: string): StatementFacts {
  const transactions: Readonly<Record<string, StatementFacts["transaction"]>> = {
    BEGIN: "begin",
    COMMIT: "commit",
    ROLLBACK: "rollback",
  };
  const intent = command === "READ" ? "read" : "write";
  const session = command === "LOCK" ? "pinned" : "none";
  const canWait = command === "BEGIN";
  return facts({ intent, command, session, canWait, transaction: transactions[command] ?? "none" });
}
