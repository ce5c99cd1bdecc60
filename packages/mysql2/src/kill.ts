import type { Socket } from "node:net";
import { connect } from "node:net";
import type { Client } from "./client.ts";
import type { MysqlConnection } from "./connection.ts";
import { identify, identityOf } from "./identity.ts";

/**
 * Ends the running statement of a connection by `KILL QUERY` on a second one to the very address that it leads to. That may be a
 * load balancer, behind which another server has a session of the same number: nothing is ended unless it is the same process.
 * @param open logs in as the connection did, on this socket
 */
export async function killQuery(
  victim: MysqlConnection,
  { stream, threadId }: Client,
  open: (stream: () => Socket) => Promise<MysqlConnection>,
  signal: AbortSignal,
): Promise<void> {
  const identity = identityOf(victim);
  const { remoteAddress, remotePort } = stream;
  if (identity === undefined || threadId === null || remoteAddress === undefined || remotePort === undefined) {
    throw new Error("it is not known which session of which server to cancel");
  }
  const killer = await open(() => connect(remotePort, remoteAddress).setNoDelay(true));
  const onAbort = (): void => killer.destroy();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const { instance } = await identify(killer);
    if (instance !== identity.instance) throw new Error("the address leads to another server now");
    await killer.run({ text: `KILL QUERY ${threadId}` });
  } finally {
    signal.removeEventListener("abort", onAbort);
    killer.destroy();
  }
}
