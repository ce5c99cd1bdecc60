import type { Connection, ConnectTarget, Driver } from "@mirrorpool/core";
import type { LabNode } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";

export const driver: Driver = postgres();

/** Where the application's role logs in, through the node's proxy. */
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

export function open(node: LabNode, changes: Partial<ConnectTarget> = {}): Promise<Connection> {
  return driver.connect(targetOf(node, changes), new AbortController().signal);
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
