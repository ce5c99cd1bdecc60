import { connect, createServer, type Socket } from "node:net";

/** One address that leads to whatever is the primary, as a load balancer or a moved name does for plain clients. */
export interface VirtualAddress extends AsyncDisposable {
  readonly port: number;
  /** New connections go there from now on; open ones stay where they are, as with the real thing. */
  pointTo(port: number): void;
}

const HOST = "127.0.0.1";

export async function createVirtualAddress(firstTarget: number): Promise<VirtualAddress> {
  let target = firstTarget;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, HOST);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, HOST, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the virtual address has no port");
  return {
    port: address.port,
    pointTo(port) {
      target = port;
    },
    [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
