import type { Connection, Result, Statement } from "../../driver.ts";
import { NotSentError } from "../../errors.ts";
import type { SharedConnection } from "./shared-connection.ts";

/** One statement's place on a shared connection, which to its caller is a connection like any other. */
export class Share implements Connection {
  readonly #shared: SharedConnection;
  #status: "idle" | "busy" | "closed" = "idle";
  #cancelled = false;

  constructor(shared: SharedConnection) {
    this.#shared = shared;
  }

  get status(): Connection["status"] {
    return this.#shared.isClosed ? "closed" : this.#status;
  }

  serveAs(role: "primary" | "mirror"): void {
    this.#shared.connection.serveAs?.(role);
  }

  get isInTransaction(): boolean {
    return false;
  }

  get sessionId(): string | undefined {
    return this.#shared.connection.sessionId;
  }

  async run(statement: Statement): Promise<Result> {
    if (this.status !== "idle") throw new NotSentError();
    this.#status = "busy";
    try {
      return await this.#shared.run(this, statement);
    } finally {
      if (this.#status === "busy") this.#status = "idle";
    }
  }

  /** Only reads are shared. */
  begin(): Promise<Result> {
    return Promise.reject(new NotSentError());
  }

  async cancel(signal: AbortSignal): Promise<void> {
    this.#cancelled = true;
    await this.#shared.cancel(this, signal);
  }

  /** Gives the place up: the others go on, unless the server has not even reacted to a cancel. */
  destroy(): void {
    if (this.#status === "closed") return;
    const isHung = this.#status === "busy" && this.#cancelled;
    this.#status = "closed";
    this.#shared.abandon(this, isHung);
  }

  async close(): Promise<void> {
    this.destroy();
  }

  onClose(listener: () => void): void {
    this.#shared.connection.onClose(listener);
  }

  setRef(): void {}
}
