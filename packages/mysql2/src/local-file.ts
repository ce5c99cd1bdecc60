import { PassThrough, pipeline, type Readable } from "node:stream";

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
