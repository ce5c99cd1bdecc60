import type { CheckoutTask, Result, Statement } from "@mirrorpool/core";
import { RowChannel } from "../row-channel.ts";
import { answerOf } from "./answer.ts";
import { factsOf } from "./facts.ts";
import type { ExecuteCommand, QueryCommand } from "./internals.ts";

/** Whose rows may be many. */
const WITH_ROWS: ReadonlySet<string> = new Set(["SELECT", "WITH", "TABLE", "VALUES", "SHOW", "CALL", "(", "UNKNOWN"]);

/** A task, and the channel of its rows where they are handed out as they come. */
export interface CommandTask extends CheckoutTask {
  readonly channel: RowChannel | undefined;
}

/**
 * Runs a command of `mysql2`, which the application listens to, as a statement of the pool.
 * @param fail told of an error that nobody listens for
 */
export function commandTask(
  command: QueryCommand | ExecuteCommand,
  statement: Statement,
  options: CheckoutTask["options"],
  fail: (error: unknown) => void,
): CommandTask {
  const channel = channelFor(command, statement);
  const end = (): void => void command.emit("end");
  const done = (error: unknown, result: Result | undefined): void => {
    const { onResult } = command;
    if (error !== undefined) {
      if (onResult) onResult.call(command, error);
      else if (command.listenerCount("error") > 0) command.emit("error", error);
      else fail(error);
      end();
      return;
    }
    const [answer, fields] = answerOf(result as Result); // without an error there is one
    if (!onResult && channel === undefined) tell(command, result as Result);
    end(); // before the callback, as in `mysql2`: a pool has its connection back by then
    // what has no columns is told by two arguments, as `mysql2` does
    if (fields === undefined) onResult?.call(command, null, answer);
    else onResult?.call(command, null, answer, fields);
  };
  const complete = channel === undefined ? statement : { ...statement, channel };
  return { statement: complete, options, channel, done: (...given) => safely(() => done(...given)) };
}

/** Without a callback rows are told as they come; what has none is run again where it can be, as any other statement. */
function channelFor(command: QueryCommand | ExecuteCommand, statement: Statement): RowChannel | undefined {
  const { command: word } = factsOf(statement.text);
  const isLoad = word.startsWith("LOAD");
  if (!isLoad && (command.onResult || !WITH_ROWS.has(word.split(" ")[0] as string))) return undefined;
  if (command.onResult) return new RowChannel({ onFields: () => {}, onResult: () => {} });
  const channel = new RowChannel({
    onFields: (fields) => safely(() => command.emit("fields", fields)),
    onResult: (result, index) => safely(() => command.emit("result", result, index)),
  });
  command._connection = channel;
  return channel;
}

/** All that was collected, as if it came only now. */
function tell(command: QueryCommand | ExecuteCommand, result: Result): void {
  const all = result.results ?? [result];
  for (const [index, each] of all.entries()) {
    const [answer, fields] = answerOf(each);
    command.emit("fields", fields, index);
    if (Array.isArray(answer)) for (const row of answer) command.emit("result", row, index);
    else command.emit("result", answer);
  }
}

/** What the application's listeners throw is the application's: it does not become an error of ours. */
function safely(call: () => unknown): void {
  try {
    call();
  } catch (thrown) {
    process.nextTick(() => {
      throw thrown;
    });
  }
}
