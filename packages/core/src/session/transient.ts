import type { Driver } from "../driver.ts";
import { MirrorpoolError, NotSentError } from "../errors.ts";
import type { SessionContext } from "./context.ts";
import { Interrupted } from "./run.ts";

/** Whether what the pool asks for itself may be answered when it is asked again: the question was lost or came too early. */
export function isTransient(context: SessionContext, error: unknown): boolean {
  if (error instanceof NotSentError) return true;
  const { kind } = context.driver.classify(error);
  return kind !== "statement" && kind !== "configuration";
}

/** Whether it is what a server has answered to the statement itself: not that it was lost, never sent, or took too long. */
export function isRefusal(driver: Pick<Driver, "classify">, error: unknown): boolean {
  const isOurs = error instanceof MirrorpoolError || error instanceof NotSentError || error instanceof Interrupted;
  return !isOurs && driver.classify(error).kind === "statement";
}
