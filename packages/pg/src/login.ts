import type { Connection, ConnectTarget } from "@mirrorpool/core";
import pg from "pg";
import { ConnectionLost, LoginFailed } from "./classify.ts";
import type { Client } from "./client.ts";
import { PgConnection } from "./connection.ts";
import type { PreparedStatements } from "./prepared-statements.ts";

/** Makes what decides which statements of a connection are prepared, on `pg`'s record of them. */
export type Prepare = (parsed: Record<string, string>, target: ConnectTarget) => PreparedStatements;

/** Opens a connection and logs in. @throws `pg`'s own error, {@link ConnectionLost} or {@link LoginFailed} */
export async function openConnection(
  target: ConnectTarget,
  signal: AbortSignal,
  settings: pg.ClientConfig,
  prepare: Prepare | undefined,
): Promise<Connection> {
  signal.throwIfAborted();
  const client = new pg.Client(clientConfig(target, settings)) as Client;
  let hasEnded = false;
  client.connection.on("end", () => {
    hasEnded = true;
  });
  // without a listener a lost connection would end the process
  client.on("error", () => {});
  const onAbort = (): void => void client.connection.stream.destroy();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await client.connect();
    if (signal.aborted) throw signal.reason;
    return new PgConnection(client, prepare?.(client.connection.parsedStatements, target));
  } catch (error) {
    client.connection.stream.destroy();
    if (signal.aborted) throw signal.reason;
    if (error instanceof Error && !("code" in error)) {
      throw hasEnded
        ? new ConnectionLost("the connection was lost during login", error)
        : new LoginFailed(error.message);
    }
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function clientConfig(target: ConnectTarget, settings: pg.ClientConfig): pg.ClientConfig {
  const { host, port, database, user, password, tls, parameters, applicationName } = target;
  const given = { database, user, password, ssl: tls as pg.ClientConfig["ssl"] }; // passed through as it is
  return {
    application_name: applicationName,
    keepAlive: true,
    ...settings,
    ...parameters,
    host,
    port,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
}
