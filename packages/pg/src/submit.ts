import type { PoolSession, StatementOptions } from "@mirrorpool/core";
import { type QueryObject, Submission } from "./submission.ts";

/**
 * Runs an object that speaks `pg`'s protocol itself, such as a `Cursor` of pg-cursor, as a statement of a session, or of a
 * reserved connection.
 * @param object its `text` says where it may run
 * @param options the deadline bounds the time until the server has begun to answer, the signal all of it
 * @returns resolves when it has ended, well or not: rows and errors are the object's own
 */
export async function submit(
  session: Pick<PoolSession, "query">,
  object: QueryObject & { readonly text: string },
  options?: StatementOptions,
): Promise<void> {
  const channel = new Submission(object);
  try {
    await session.query({ text: object.text, channel }, undefined, options);
    channel.complete();
  } catch (error) {
    channel.fail(error);
  }
}
