import { NotSentError } from "../errors.ts";
import type { SessionContext } from "./context.ts";

/** Whether what the pool asks for itself may be answered when it is asked again: the question was lost or came too early. */
export function isTransient(context: SessionContext, error: unknown): boolean {
  if (error instanceof NotSentError) return true;
  const { kind } = context.driver.classify(error);
  return kind !== "statement" && kind !== "configuration";
}
