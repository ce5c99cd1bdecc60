import type { EventEmitter } from "node:events";
import { PassThrough, pipeline, Readable } from "node:stream";
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
  let given: unknown;
  try {
    given = open();
    const isOfBytes = given instanceof Readable && !given.readableObjectMode && given.readableEncoding === null;
    const bytes = isOfBytes ? new Passing(given as Readable) : piped(given as Readable); // whatever it is, it is looked at
    return noting(bytes);
  } catch (error) {
    const failed = noting(new PassThrough());
    failed.destroy(error instanceof Error ? error : new Error("the stream could not be opened", { cause: error }));
    return failed;
  }
}

function noting<T extends Readable>(bytes: T): T {
  return bytes.once("error", (error) => void failures.add(error));
}

function piped(source: Readable): Readable {
  const bytes = new PassThrough();
  pipeline(source, bytes, () => {});
  return bytes;
}

/**
 * What a pipeline of the two would do. What that makes for each of its streams stays in memory until a full collection, and a job
 * writes ten thousand tables by one each.
 */
class Passing extends Readable {
  readonly #source: Readable;

  constructor(source: Readable) {
    super();
    this.#source = source;
    source.on("data", (part: Buffer) => {
      if (!this.push(part)) source.pause();
    });
    source.once("end", () => this.push(null));
    source.on("error", (error) => this.destroy(error));
    source.once("close", () => {
      if (!source.readableEnded && !this.destroyed) this.destroy(new Error("the stream was closed before its end"));
    });
    if (source.errored) this.destroy(source.errored);
    else if (source.readableEnded) this.push(null);
    else if (source.destroyed) this.destroy(new Error("the stream was closed before it was read"));
    source.pause();
  }

  override _read(): void {
    this.#source.resume();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#source.readableEnded) this.#source.destroy();
    done(error);
  }
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
