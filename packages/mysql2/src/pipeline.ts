import { ConnectionLost, serverNumberOf } from "./classify.ts";
import type { Client, Command } from "./client.ts";

/** As `mysql2` calls back. */
export type Callback = (error: unknown, answer?: unknown, fields?: unknown) => void;

/** Rejects a statement whose connection was lost. */
type Lose = (cause: unknown) => void;

/**
 * Statements with nothing around them: one, or several that were sent one behind the other. `mysql2` queues its commands, and
 * would send each only after the answer before it; servers take them one after the other from the socket, and answer in that
 * order.
 */
export class Pipeline {
  readonly #client: Client;
  /** In the order in which they were sent. A Set makes a new table each time that it is empty. */
  #pending: Lose[] = [];
  #isSending = false;
  #isGathering = false;

  constructor(client: Client) {
    this.#client = client;
    const add = client.addCommand.bind(client);
    client.addCommand = (command) => {
      if (this.#isSending && client._command) sendAhead(client, command);
      return add(command);
    };
  }

  get size(): number {
    return this.#pending.length;
  }

  /**
   * @param send hands the statement to the client
   * @param read makes the result of what the client calls back with
   * @param onFatal called where the connection is of no use any more: it loses all others
   */
  add<T>(
    send: (callback: Callback) => void,
    read: (answer: unknown, fields: unknown) => T,
    onFatal: (error: unknown) => void,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const lose: Lose = (cause) => reject(new ConnectionLost("the connection was lost under a statement", cause));
      this.#pending.push(lose);
      this.#send(send, (error, answer, fields) => {
        if (!this.#take(lose)) return; // lost, or answered already
        if (!error) return resolve(read(answer, fields));
        // the server's own words hold also where the connection ended right after them
        if (isFatal(error) && serverNumberOf(error) === undefined) lose(error);
        else reject(error);
        if (isFatal(error)) onFatal(error);
      });
    });
  }

  /** @returns false where it is not there any more */
  #take(lose: Lose): boolean {
    const pending = this.#pending;
    const place = pending.indexOf(lose); // the first one, unless the library refused to send it
    if (place < 0) return false;
    pending.splice(place, 1);
    return true;
  }

  #send(send: (callback: Callback) => void, callback: Callback): void {
    if (this.#pending.length > 1) this.#gather();
    this.#isSending = true;
    attempt(send, callback);
    this.#isSending = false;
  }

  /** What is sent in one turn goes out in one write: the system call is the dearest part of a small statement. */
  #gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    const { stream } = this.#client;
    stream.cork();
    process.nextTick(() => {
      this.#isGathering = false;
      stream.uncork();
    });
  }

  /** The connection is lost: `mysql2` forgets its commands when it is destroyed. */
  lose(cause: unknown): void {
    const pending = this.#pending;
    this.#pending = [];
    for (const lose of pending) lose(cause);
  }
}

/** Writes a command's packet while the answer to another one is to come. In the client's queue it has been sent by then. */
function sendAhead(client: Client, command: Command): void {
  const { sequenceId } = client;
  client.sequenceId = 0;
  try {
    const next = command.start(undefined, client);
    const sent = client.sequenceId;
    command.start = () => {
      client.sequenceId = sent;
      return next;
    };
  } finally {
    client.sequenceId = sequenceId; // of the answer that is under way
  }
}

/** What the client refuses to send it throws, or says in the callback. */
export function attempt(send: (callback: Callback) => void, callback: Callback): void {
  try {
    send(callback);
  } catch (error) {
    callback(error);
  }
}

/** The connection is of no use any more: it is lost, or out of step with the server. */
export function isFatal(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  if ("fatal" in error && error.fatal === true) return true;
  return "code" in error && error.code === "PROTOCOL_SEQUENCE_TIMEOUT";
}
