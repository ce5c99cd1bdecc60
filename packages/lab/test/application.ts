import { Socket } from "node:net";
import pg from "pg";
import { onTestFinished } from "vitest";
import { codeOf } from "../src/errors.ts";

/** An application's connection to a node, closed with the test. Its errors are recorded, not thrown. */
export interface Application {
  readonly client: pg.Client;
  /** The code, or for want of one the message, of what ended the connection. */
  readonly ending: () => string | undefined;
}

export async function connectTo(url: string): Promise<Application> {
  const socket = new Socket();
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000, stream: () => socket });
  let ending: string | undefined;
  client.on("error", (error) => {
    ending ??= codeOf(error) ?? error.message;
  });
  onTestFinished(() => {
    // a frozen server would not answer a goodbye
    socket.destroy();
  });
  await client.connect();
  return { client, ending: () => ending };
}

/** The code, or for want of one the message, that `work` fails with. @throws when it succeeds */
export async function failureOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return codeOf(error) ?? (error instanceof Error ? error.message : String(error));
  }
  throw new Error("it succeeded");
}
