import { connect } from "node:net";

const CANCEL_REQUEST_CODE = 80_877_102;
const MESSAGE_BYTES = 16;

/**
 * Sends a CancelRequest (PostgreSQL documentation, "Canceling Requests in Progress") to the very address that a connection
 * leads to: its name may mean another server by now. Resolves when the server has taken it and closed.
 */
export function sendCancel(
  address: { readonly host: string; readonly port: number },
  processId: number,
  secretKey: number,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const message = Buffer.alloc(MESSAGE_BYTES);
    message.writeInt32BE(MESSAGE_BYTES, 0);
    message.writeInt32BE(CANCEL_REQUEST_CODE, 4);
    message.writeInt32BE(processId, 8);
    message.writeInt32BE(secretKey, 12);
    const socket = connect(address.port, address.host, () => socket.end(message));
    const onAbort = (): void => void socket.destroy(new Error("the cancel request was not taken in time"));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    socket.on("error", reject);
    socket.on("close", () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
    socket.resume();
  });
}
