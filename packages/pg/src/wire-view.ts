/** What a query object is given as the connection it speaks to: any object with methods, and a Sync among them. */
export interface Wire {
  sync(): void;
}

interface Said {
  readonly key: PropertyKey;
  readonly args: readonly unknown[];
}

/** Harmless also when the connection is somebody else's by then. */
const ALWAYS: ReadonlySet<PropertyKey> = new Set(["removeListener", "off", "removeAllListeners", "listeners"]);

/**
 * A connection as one query object sees it. Cursors keep it and may write to it long after their statement has ended, when the
 * connection serves somebody else: the view can be closed, and what is sent through it then goes nowhere.
 */
export class WireView<W extends Wire> {
  /** In place of the connection itself. */
  readonly wire: W;
  readonly #target: W;
  #awaitReady: (() => void)[] = [];
  /** What was asked for is answered by nothing but a Sync. */
  #needsSync = false;
  #isClosed = false;
  /** What the object has sent since it was submitted, while that can still be said again. */
  #said: Said[] | undefined;
  #portal: unknown;

  constructor(target: W) {
    this.#target = target;
    this.wire = new Proxy(target, { get: (_, key) => this.#get(key) });
  }

  /** Somebody waits for the end already. */
  get isAwaited(): boolean {
    return this.#awaitReady.length > 0;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Notes what the object sends from now on, so that it can be said again on another connection. */
  listen(): void {
    this.#said = [];
  }

  forget(): void {
    this.#said = undefined;
  }

  /** Says here what the object has said on another connection after its submission there. */
  repeat(other: WireView<W>): void {
    for (const { key, args } of other.#said ?? []) {
      // a cursor asks for rows of its portal, which has another name here
      const said = key === "execute" ? [{ ...(args[0] as object), portal: this.#portal }, ...args.slice(1)] : args;
      (this.#get(key) as (...args: unknown[]) => unknown)(...said);
    }
  }

  /** Ends what the object has begun and not ended, so that the server becomes ready for the next statement. */
  syncIfNeeded(): void {
    if (!this.#needsSync) return;
    this.#needsSync = false;
    this.#target.sync();
  }

  /** From now on nothing reaches the connection. What waits for the server to be ready waits no longer. */
  close(): void {
    this.#isClosed = true;
    for (const listener of this.#awaitReady.splice(0)) listener();
  }

  #get(key: PropertyKey): unknown {
    const value: unknown = Reflect.get(this.#target, key);
    if (typeof value !== "function") return value;
    return (...args: unknown[]): unknown => {
      if (key === "once" && args[0] === "readyForQuery") return this.#onReady(args[1] as () => void);
      if (this.#isClosed && !ALWAYS.has(key)) return undefined;
      if (key === "bind") this.#portal = (args[0] as { portal?: unknown }).portal;
      if (key === "execute" || key === "flush") this.#said?.push({ key, args });
      if (key === "flush") this.#needsSync = true;
      if (key === "sync" || key === "query") this.#needsSync = false;
      return Reflect.apply(value, this.#target, args);
    };
  }

  #onReady(listener: () => void): W {
    if (this.#isClosed) setImmediate(listener);
    else this.#awaitReady.push(listener);
    return this.wire;
  }
}
