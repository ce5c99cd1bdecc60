import type { Code } from "../driver/codes.ts";
import type { Command } from "../driver/language.ts";
import { parse } from "../driver/language.ts";
import type { Entry, Server } from "./server.ts";
import { execute } from "./statements.ts";

/** What a server sends back for one statement. */
export type Reply =
  | { readonly ok: true; readonly status: BackendStatus; readonly rows: readonly unknown[]; readonly command: string }
  | { readonly ok: false; readonly status: BackendStatus; readonly code: Code; readonly isLast: boolean };

export type BackendStatus = "idle" | "transaction" | "failed";

/** Where a backend's answers go. Nothing is sent to an end that is gone. */
export interface ClientEnd {
  reply(request: number, reply: Reply): void;
  /** The server's side of the connection was closed. */
  hangUp(): void;
}

/** One statement on its way. */
export interface Request {
  readonly id: number;
  readonly text: string;
  /** The BEGIN that comes before it, with it. */
  readonly begin: string | undefined;
}

interface Running extends Request {
  readonly command: Command;
  /** Waits for a lock, which somebody else holds. */
  isBlocked: boolean;
  cancelTimer: () => void;
}

/** The server's side of one connection: runs statements one after the other, also when the client has long gone. */
export class Backend {
  readonly server: Server;
  /** Its name among the server's sessions. */
  readonly session: string;
  readonly #client: ClientEnd;
  readonly #inbox: Request[] = [];
  #running: Running | undefined;
  /** The client has hung up: seen once the statements that had arrived before are done. */
  #isLeaving = false;
  isEnded = false;
  status: BackendStatus = "idle";
  isReadOnly = false;
  /** Written by the open transaction. */
  pending: Entry[] = [];

  constructor(server: Server, session: string, client: ClientEnd) {
    this.server = server;
    this.session = session;
    this.#client = client;
  }

  receive(request: Request): void {
    if (this.isEnded) {
      this.#client.hangUp();
      return;
    }
    this.#inbox.push(request);
    this.#next();
  }

  /** The client's side is gone. */
  leave(): void {
    this.#isLeaving = true;
    if (this.#running?.isBlocked === true) this.end();
    else this.#next();
  }

  /** Gives up the running statement, whichever it is by now. */
  cancel(): void {
    const running = this.#running;
    if (running === undefined) return;
    running.cancelTimer();
    const { verb } = running.command;
    // a COMMIT that fails has ended its transaction all the same; a string with a BEGIN in it leaves it open
    if (verb === "COMMIT" || verb === "ROLLBACK") this.rollBack();
    else if (verb === "BATCH" || this.status === "transaction") this.status = "failed";
    this.#answer(running, { ok: false, status: this.status, code: "57014", isLast: false });
  }

  /** Ended by an administrator: the running statement may have had its effect, and says the same in either case. */
  terminate(afterEffect: boolean): void {
    const running = this.#running;
    if (running !== undefined) {
      running.cancelTimer();
      if (afterEffect && !running.isBlocked) execute(this, running.command);
      this.#running = undefined;
      this.#client.reply(running.id, { ok: false, status: "idle", code: "57P01", isLast: true });
    }
    this.end();
  }

  /** The open transaction is undone, and its locks are free. The client hears of it. */
  end(): void {
    if (this.isEnded) return;
    this.die();
    this.#client.hangUp();
  }

  /** Ends without a word. */
  die(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.#running?.cancelTimer();
    this.#running = undefined;
    this.rollBack();
    this.server.backends.delete(this);
  }

  rollBack(): void {
    this.pending = [];
    this.status = "idle";
    this.isReadOnly = false;
    this.server.locks.releaseAll(this);
  }

  #next(): void {
    if (this.#running !== undefined || this.isEnded) return;
    const request = this.#inbox.shift();
    if (request === undefined) {
      if (this.#isLeaving) this.die();
      return;
    }
    const command = parse(request.text);
    const running: Running = { ...request, command, isBlocked: false, cancelTimer: () => {} };
    this.#running = running;
    if (request.begin !== undefined && this.status === "idle") {
      this.status = "transaction";
      this.isReadOnly = parse(request.begin).isReadOnly;
    }
    running.cancelTimer = this.server.work(command.forMs, () => this.#perform(running));
  }

  #perform(running: Running): void {
    const { command } = running;
    if (command.verb === "LOCK" && this.status === "transaction") {
      running.isBlocked = !this.server.locks.acquire(command.name, this, () => {
        running.isBlocked = false;
        this.#answer(running, { ok: true, status: this.status, rows: [], command: "LOCK" });
      });
      if (running.isBlocked) return;
    }
    this.#answer(running, execute(this, command));
  }

  #answer({ id }: Running, reply: Reply): void {
    this.#running = undefined;
    this.#client.reply(id, reply);
    this.#next();
  }
}
