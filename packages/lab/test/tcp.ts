import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { codeOf } from "../src/errors.ts";
import { until } from "../src/wait.ts";

/** A TCP server that records what it gets, and answers with the same bytes. */
export interface Echo extends AsyncDisposable {
  readonly port: number;
  /** What each connection has received, in the order they came. */
  readonly received: readonly Inbox[];
  readonly sockets: readonly Socket[];
}

/** Bytes that have arrived. */
interface Inbox {
  readonly bytes: number;
  text(): string;
}

class Chunks implements Inbox {
  readonly #chunks: Buffer[] = [];
  bytes = 0;

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.bytes += chunk.length;
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString();
  }
}

export async function startEcho(options: { readonly isSilent?: boolean } = {}): Promise<Echo> {
  const received: Chunks[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    const inbox = new Chunks();
    sockets.push(socket);
    received.push(inbox);
    socket.on("error", () => {});
    socket.on("data", (data) => {
      inbox.add(data);
      if (!options.isSilent) socket.write(data);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    received,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** A client that records what it gets, and how its connection ended. */
export interface Caller extends Disposable {
  readonly socket: Socket;
  readonly received: Inbox;
  /** The error code of the end; `end` for a FIN; `undefined` while it is open. */
  readonly ending: () => string | undefined;
  send(text: string): void;
  /** Waits until it has received exactly this so far. */
  receive(text: string): Promise<void>;
  /** Waits for the end and returns it. */
  ended(): Promise<string>;
}

/** Connects. A refusal is told by `ended()`. */
export function call(port: number): Caller {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  const received = new Chunks();
  let ending: string | undefined;
  socket.on("data", (data) => received.add(data));
  socket.on("error", (error) => {
    ending ??= codeOf(error) ?? error.message;
  });
  socket.on("end", () => {
    ending ??= "end";
  });
  const caller: Caller = {
    socket,
    received,
    ending: () => ending,
    send: (text) => void socket.write(text),
    receive: (text) =>
      until(`"${text}" to arrive`, () => received.text() === text, { timeoutMs: 5_000 }).then(() => {}),
    ended: () => until("the connection to end", () => ending, { timeoutMs: 5_000 }),
    [Symbol.dispose]: () => void socket.destroy(),
  };
  return caller;
}
