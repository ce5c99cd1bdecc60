import { expect, test } from "vitest";
import type { Fault } from "../src/driver.ts";
import { DeadlineError, NotSentError } from "../src/errors.ts";
import { Interrupted } from "../src/session/run.ts";
import { isRefusal } from "../src/session/transient.ts";

/** To a driver every error is of this kind: those that are not its own, it takes for what a statement said. */
const classifying = (kind: Fault["kind"]) => ({ classify: () => ({ kind, code: undefined }) });

test.each<[what: string, error: unknown, kind: Fault["kind"], expected: boolean]>([
  ["a permission that is missing", new Error("permission denied"), "statement", true],
  ["a connection that broke", new Error("ECONNRESET"), "gone", false],
  ["a node that became a mirror", new Error("read-only"), "read-only", false],
  ["a conflict", new Error("deadlock"), "rolled-back", false],
  ["a statement that never left", new NotSentError(), "statement", false],
  ["a wait that was ended", new Interrupted("deadline", Promise.resolve(), false), "statement", false],
  ["an error of the pool's own", new DeadlineError("DELETE", "a:1", 30_000), "statement", false],
])("what a server refused: %s", (_, error, kind, expected) => {
  expect(isRefusal(classifying(kind), error)).toBe(expected);
});
