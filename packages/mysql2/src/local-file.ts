import type { EventEmitter } from "node:events";
import { PassThrough, pipeline, type Readable } from "node:stream";
import type { Client } from "./client.ts";

/** What went wrong with them, told by `mysql2` as the error of a statement. */
const failures = new WeakSet<object>();

/** An error of a stream that the application gave for `LOAD DATA LOCAL`: it says nothing about the server, whatever its code. */
export const isOfLocalFile = (error: unknown): boolean =>
  typeof error === "object" && error !== null && failures.has(error);

/**
 * The stream of the application for `LOAD DATA LOCAL`. `mysql2` takes one that gives buffers; any other, or none, it would leave to
 * an exception that nobody can catch.
 */
export function localFile(open: () => unknown): Readable {
  const bytes = new PassThrough();
  bytes.once("error", (error) => void failures.add(error));
  try {
    pipeline(open() as Readable, bytes, () => {}); // whatever it is, it is looked at
  } catch (error) {
    bytes.destroy(error instanceof Error ? error : new Error("the stream could not be opened", { cause: error }));
  }
  return bytes;
}

/**
 * While it reads a file `mysql2` listens to its connection, and goes on listening where the statement fails.
 * @returns what ends that, to be called when the statement has ended: nothing else runs on the connection meanwhile
 */
export function listenersOf(client: Client): () => void {
  const connection: EventEmitter = client as unknown as EventEmitter; // its types name each event
  const stream: EventEmitter = client.stream;
  const watched = [
    { emitter: connection, event: "error" },
    { emitter: stream, event: "pause" },
    { emitter: stream, event: "drain" },
  ].map((each) => ({ ...each, before: new Set(each.emitter.rawListeners(each.event)) }));
  return () => {
    for (const { emitter, event, before } of watched) {
      for (const listener of emitter.rawListeners(event)) {
        if (!before.has(listener)) emitter.removeListener(event, listener as () => void);
      }
    }
  };
}
