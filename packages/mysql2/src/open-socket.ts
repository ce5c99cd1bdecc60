import { connect, type Socket } from "node:net";
import type mysql from "mysql2";

/** What Node.js reads at a time. */
const READ_BYTES = 64 * 1024;

/**
 * A socket as `mysql2` opens it, which reads into one buffer of its own. Otherwise Node.js takes 64 KiB from the system for each read
 * and passes them through a stream, and most answers are a few hundred bytes.
 */
export function openSocket({ host, port, enableKeepAlive, keepAliveInitialDelay }: mysql.ConnectionOptions): Socket {
  const onBytes = (size: number, bytes: Uint8Array): boolean => {
    // results keep parts of what they were read from
    socket.emit("data", Buffer.from(bytes.subarray(0, size)));
    return true;
  };
  const socket = connect({
    ...(host !== undefined && { host }),
    port: port as number, // each node has one
    noDelay: true,
    ...(enableKeepAlive === true && { keepAlive: true, keepAliveInitialDelay: keepAliveInitialDelay ?? 0 }),
    onread: { buffer: Buffer.allocUnsafeSlow(READ_BYTES), callback: onBytes },
  });
  return socket;
}
