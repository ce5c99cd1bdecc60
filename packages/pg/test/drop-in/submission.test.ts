import { EventEmitter } from "node:events";
import { from as copyFrom } from "pg-copy-streams";
import { expect, test } from "vitest";
import { type QueryObject, Submission } from "../../src/submission.ts";

/** A connection on which the server is silent until the test says otherwise. */
const silent = (): unknown => ({ stream: new EventEmitter(), query: () => {}, sync: () => {} });

test("a COPY that was given up before the server began to take it in is not told of it any more", async () => {
  const copy = copyFrom("COPY copied FROM STDIN");
  const failed = new Promise((resolve) => copy.once("error", resolve));
  copy.write("1\n");
  const submission = new Submission(copy as unknown as QueryObject);
  const attempt = submission.attempt(() => {}) as unknown as QueryObject;
  attempt.submit(silent());
  submission.fail(new Error("given up"));
  expect(await failed).toMatchObject({ message: "given up" });
  copy.destroy();
  // it has no connection any more, and would throw into the socket's handler
  expect(() => attempt.handleCopyInResponse?.(undefined)).not.toThrow();
});
