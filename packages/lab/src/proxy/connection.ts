import { connect, type Socket } from "node:net";
import type { Direction, Fault } from "./fault.ts";
import { createPipe, type Link, type Pipe } from "./pipe.ts";

/** One client's connection through the proxy. */
export interface Connection {
  /** Takes the change of fault into account. A connection that lost bytes, and could lose no more now, is reset. */
  update(): void;
  /** Ends both sides with FIN. */
  close(): void;
  /** Ends both sides with RST. */
  reset(): void;
}

/** What a connection is made of. */
export interface ConnectionOptions {
  readonly client: Socket;
  readonly target: { readonly host: string; readonly port: number };
  readonly links: Readonly<Record<Direction, Link>>;
  readonly fault: () => Fault;
  /** Whether its sockets may keep the process from ending. */
  readonly isAlone: boolean;
  /** Called once, when both sides are closed. */
  readonly onClose: () => void;
}

/** Connects `client` with the target. */
export function createConnection(options: ConnectionOptions): Connection {
  return new ProxyConnection(options);
}

class ProxyConnection implements Connection {
  readonly #options: ConnectionOptions;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #pipes: readonly Pipe[];
  #hasLost = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { client, target, links } = options;
    this.#client = client;
    this.#server = connect({ ...target, allowHalfOpen: true, noDelay: true });
    client.setNoDelay(true);
    const sockets = [client, this.#server];
    if (!options.isAlone) for (const socket of sockets) socket.unref();
    // a side that breaks (or refuses to connect) is noticed by its pipe, which may have to keep it back
    for (const socket of sockets) socket.on("error", () => {});
    const shared = {
      onSwallow: () => {
        this.#hasLost = true;
      },
      onCut: () => this.close(),
      onBroken: () => this.reset(),
    };
    this.#pipes = [
      createPipe({ from: client, to: this.#server, direction: "up", link: links.up, ...shared }),
      createPipe({ from: this.#server, to: client, direction: "down", link: links.down, ...shared }),
    ];
    for (const socket of sockets) {
      socket.on("close", () => {
        if (!sockets.every((each) => each.destroyed)) return;
        for (const pipe of this.#pipes) pipe.close();
        options.onClose();
      });
    }
  }

  update(): void {
    const { kind } = this.#options.fault();
    // TCP would have given up: with bytes missing, what follows would be garbage
    if (this.#hasLost && kind !== "black-hole" && kind !== "half-open") this.reset();
    else for (const pipe of this.#pipes) pipe.update();
  }

  close(): void {
    for (const pipe of this.#pipes) pipe.close();
    this.#client.destroy();
    this.#server.destroy();
  }

  reset(): void {
    for (const pipe of this.#pipes) pipe.close();
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
  }
}
