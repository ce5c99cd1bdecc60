import type { Call } from "../call.ts";
import type { StatementFacts } from "../driver.ts";
import { AbortedError, CommitUnknownError, DeadlineError, type MirrorpoolError, PoolClosedError } from "../errors.ts";
import type { SessionContext } from "./context.ts";

/** The error of a call that ended before its statement did. @param node where that was running, if it was */
export function interruption(
  { isClosed, environment }: SessionContext,
  reason: "deadline" | "aborted",
  facts: StatementFacts,
  call: Call,
  node?: string,
): MirrorpoolError {
  if (reason === "aborted") return new AbortedError(call.signal?.reason);
  if (isClosed && !call.isOver) return new PoolClosedError();
  return new DeadlineError(facts.command, node, environment.now() - call.startedAt);
}

/** The error of a write of unknown fate, counted and told. */
export function commitUnknown(
  { counters, events, environment, readYourWrites }: SessionContext,
  { command }: StatementFacts,
  node: string,
  cause: unknown,
): CommitUnknownError {
  counters.commitUnknown += 1;
  readYourWrites.note(environment.now()); // it may have happened: a later read must not miss it
  events.emit("commit-unknown", { node, command });
  return new CommitUnknownError(command, node, cause);
}
