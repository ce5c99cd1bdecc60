import { type ConnectTarget, NotSentError } from "@mirrorpool/core";
import mysql from "mysql2";
import { ConnectionLost, LoginFailed, serverNumberOf } from "./classify.ts";
import type { Client } from "./client.ts";
import { openSocket } from "./open-socket.ts";
import { fromText } from "./url.ts";

/** Settings of `mysql2`'s own connection that hold for every one, whatever its node; a node's URL goes before them. */
export type ClientSettings = Omit<
  mysql.ConnectionOptions,
  | "host"
  | "port"
  | "user"
  | "password"
  | "password1"
  | "database"
  | "ssl"
  | "uri"
  | "socketPath"
  | "connectTimeout"
  | "Promise"
  | "debug"
  | "trace"
  | "isServer"
  | "pool"
>;

/** Opens a connection and logs in. @throws `mysql2`'s own error, {@link ConnectionLost} or {@link LoginFailed} */
export async function openClient(
  target: ConnectTarget,
  signal: AbortSignal,
  settings: mysql.ConnectionOptions,
): Promise<Client> {
  signal.throwIfAborted();
  const client = mysql.createConnection(clientConfig(target, settings)) as unknown as Client;
  let onAbort = (): void => {};
  try {
    await new Promise<void>((resolve, reject) => {
      onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      client.once("connect", () => resolve());
      // stays: without a listener a lost connection would end the process
      client.on("error", reject);
    });
    if (signal.aborted) throw signal.reason;
    return client;
  } catch (error) {
    cut(client);
    if (signal.aborted) throw signal.reason;
    throw named(error);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** Destroys the socket: `mysql2` itself would only end its own side of it. */
export function cut(client: Client): void {
  client.destroy();
  client.stream.destroy();
}

function named(error: unknown): unknown {
  if (!(error instanceof Error) || serverNumberOf(error) !== undefined || error instanceof NotSentError) return error;
  const code = "code" in error ? error.code : undefined;
  if (code === "PROTOCOL_CONNECTION_LOST") return new ConnectionLost("the connection was lost during login", error);
  return code === undefined ? new LoginFailed(error.message) : error;
}

function clientConfig(target: ConnectTarget, settings: mysql.ConnectionOptions): mysql.ConnectionOptions {
  const { host, port, database, user, password, tls, parameters, applicationName } = target;
  const ssl = (tls === true ? {} : tls) as mysql.SslOptions | undefined; // passed through as it is
  const given = { database, user, password, ...(tls !== false && { ssl }) };
  const config: mysql.ConnectionOptions = {
    enableKeepAlive: true,
    ...settings,
    ...Object.fromEntries(Object.entries(parameters).map(([key, text]) => [key, fromText(text)])),
    connectAttributes: { program_name: applicationName, ...settings.connectAttributes },
    // the core bounds the attempt
    connectTimeout: 0,
    host,
    port,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
  return { stream: () => openSocket(config), ...config };
}
