import type { Connection, ConnectTarget, Driver } from "@mirrorpool/core";
import type { LabNode, ServerKind } from "@mirrorpool/lab";
import { mysql } from "@mirrorpool/mysql2";

export const driver: Driver = mysql();

/** What the driver speaks to. */
export const servers: readonly ServerKind[] = ["mariadb", "mysql"];

/** Where the application's user logs in, through the node's proxy. */
export function targetOf(node: LabNode, changes: Partial<ConnectTarget> = {}): ConnectTarget {
  const { host, port, database, user, password, parameters = {} } = driver.parseUrl(node.url);
  return {
    ...{
      node: node.name,
      host,
      port,
      database,
      user,
      password,
      tls: undefined,
      applicationName: "driver test",
      parameters,
    },
    ...changes,
  };
}

export function open(node: LabNode, changes: Partial<ConnectTarget> = {}, by: Driver = driver): Promise<Connection> {
  return by.connect(targetOf(node, changes), new AbortController().signal);
}

/** The error with which a promise rejects. Fails when it does not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`expected a rejection, got ${typeof value}`);
}
