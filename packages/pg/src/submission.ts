import type { Channel, Result } from "@mirrorpool/core";
import type pg from "pg";
import { type Wire, WireView } from "./wire-view.ts";

/** What `pg` calls on a query object as the server answers. All but `submit` and `handleError` may be missing. */
export interface QueryObject {
  submit(connection: unknown): unknown;
  handleError(error: unknown, connection: unknown): void;
  handleReadyForQuery?(connection: unknown): void;
  handleRowDescription?(message: unknown): void;
  handleDataRow?(message: unknown): void;
  handlePortalSuspended?(connection: unknown): void;
  handleCommandComplete?(message: { readonly text: string }, connection: unknown): void;
  handleEmptyQuery?(connection: unknown): void;
  handleCopyInResponse?(connection: unknown): void;
  handleCopyData?(message: unknown, connection: unknown): void;
  /** A named statement is parsed once on each connection, which `pg` keeps a record of. */
  readonly name?: unknown;
  readonly text?: unknown;
}

interface SocketWire extends Wire {
  readonly stream: {
    listenerCount(event: string): number;
    once(event: "readable", listener: () => void): unknown;
    destroy(): void;
  };
}

type Callback = (error: unknown, answer: Result) => void;

/**
 * An object that speaks `pg`'s protocol itself (`pg.Query`, pg-cursor, pg-query-stream, pg-copy-streams), as a statement's
 * channel. The end of it and its errors reach the object only when the core has decided what they mean: until the server has
 * begun to answer it may be submitted again, to another connection.
 */
export class Submission implements Channel {
  readonly opened: Promise<void>;
  #open: () => void = () => {};
  #isOpen = false;
  readonly #object: QueryObject;
  #view: WireView<SocketWire> | undefined;

  constructor(object: QueryObject) {
    this.#object = object;
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  /** Also when the application waits for its end already: it would be begun anew after it was closed. */
  get isOpen(): boolean {
    return this.#isOpen || this.#view?.isAwaited === true;
  }

  /** What to give to `pg`'s client. The callback is called as that of a query is: with an error, or when the server is ready. */
  attempt(callback: Callback): pg.Submittable {
    return new Attempt(this.#object, callback, {
      onBegin: (view) => {
        const former = this.#view;
        this.#view = view;
        former?.close();
        return former;
      },
      onAnswer: () => {
        this.#view?.forget();
        this.#isOpen = true;
        this.#open();
      },
    }) as unknown as pg.Submittable; // `pg`'s types name `submit` alone
  }

  /** The statement has ended well. */
  complete(): void {
    this.#object.handleReadyForQuery?.(this.#view?.wire);
    this.#view?.close();
  }

  /** The statement has failed for good. */
  fail(error: unknown): void {
    // first: it may be used again by the next holder, and the object answers an error with a Sync
    this.#view?.close();
    this.#object.handleError(error, this.#view?.wire);
  }
}

interface AttemptListener {
  /** @returns the view of the attempt before */
  onBegin(view: WireView<SocketWire>): WireView<SocketWire> | undefined;
  /** With the first message of the server that belongs to the statement. */
  onAnswer(): void;
}

/** One submission to one client, which takes it for a query. */
class Attempt implements QueryObject {
  readonly #object: QueryObject;
  readonly #callback: Callback;
  readonly #listener: AttemptListener;
  #view: WireView<SocketWire> | undefined;
  #tag = "";

  constructor(object: QueryObject, callback: Callback, listener: AttemptListener) {
    this.#object = object;
    this.#callback = callback;
    this.#listener = listener;
  }

  get name(): unknown {
    return this.#object.name;
  }

  get text(): unknown {
    return this.#object.text;
  }

  submit(connection: SocketWire): unknown {
    const view = new WireView(connection);
    this.#view = view;
    const former = this.#listener.onBegin(view);
    try {
      const refusal = this.#object.submit(view.wire);
      view.listen();
      if (former !== undefined) view.repeat(former);
      // COPY TO reads the socket past `pg`: its first bytes are the answer
      if (connection.stream.listenerCount("data") === 0) connection.stream.once("readable", () => this.#answered());
      return refusal;
    } catch (error) {
      connection.stream.destroy(); // half of its messages may have left
      return error;
    }
  }

  /** What the server says after the statement was given up is not for the object, which has ended: it goes nowhere. */
  #answered(): SocketWire | undefined {
    if (this.#view === undefined || this.#view.isClosed) return undefined;
    this.#listener.onAnswer();
    return this.#view.wire;
  }

  handleRowDescription(message: unknown): void {
    if (this.#answered()) this.#object.handleRowDescription?.(message);
  }

  handleDataRow(message: unknown): void {
    if (this.#answered()) this.#object.handleDataRow?.(message);
  }

  handlePortalSuspended(): void {
    const wire = this.#answered();
    if (wire) this.#object.handlePortalSuspended?.(wire);
  }

  handleCommandComplete(message: { readonly text: string }): void {
    this.#tag = message.text;
    const wire = this.#answered();
    if (wire) this.#object.handleCommandComplete?.(message, wire);
  }

  handleEmptyQuery(): void {
    const wire = this.#answered();
    if (wire) this.#object.handleEmptyQuery?.(wire);
  }

  handleCopyInResponse(): void {
    const wire = this.#answered();
    if (wire) this.#object.handleCopyInResponse?.(wire);
  }

  handleCopyData(message: unknown): void {
    const wire = this.#answered();
    if (wire) this.#object.handleCopyData?.(message, wire);
  }

  handleError(error: unknown): void {
    this.#view?.syncIfNeeded();
    this.#callback(error, EMPTY);
  }

  handleReadyForQuery(): void {
    const count = /\d+$/.exec(this.#tag)?.[0];
    this.#callback(null, {
      rows: [],
      rowCount: count === undefined ? null : Number(count),
      command: this.#tag.split(" ")[0] ?? "",
    });
  }
}

const EMPTY: Result = Object.freeze({ rows: [], rowCount: null, command: "" });
