import { Readable } from "node:stream";
import type { PoolSession, StatementOptions } from "@mirrorpool/core";
import { RowChannel } from "./row-channel.ts";

/**
 * Runs a statement of a session and hands its rows out as they come: not all of them are held in memory. A stream that is left
 * early ends its statement on the server.
 * @param options the deadline bounds the time until the server has begun to answer, the signal all of it
 */
export function readRows(
  session: PoolSession,
  text: string,
  values: readonly unknown[] = [],
  options: StatementOptions = {},
): Readable {
  let hasEnded = false;
  const channel = new RowChannel({
    onFields: () => {},
    onResult: (row) => {
      if (!stream.destroyed && !stream.push(row)) channel.pause();
    },
  });
  const stream = new Readable({
    objectMode: true,
    read: () => channel.resume(),
    destroy: (error, done) => {
      channel.resume();
      if (!hasEnded) session.interrupt(new Error("the stream was closed before its end"));
      done(error);
    },
  });
  session.query({ text, values, channel }, undefined, options).then(
    () => {
      hasEnded = true;
      stream.push(null);
    },
    (error: Error) => {
      hasEnded = true;
      stream.destroy(error);
    },
  );
  return stream;
}
