import type { Call, Cause } from "../call.ts";
import type { Timer } from "../clock.ts";
import type { Channel, Connection, Result, Statement } from "../driver.ts";
import type { SessionContext } from "./context.ts";

/** The caller's deadline or signal ended the wait for an answer; the statement is still running on its server. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly reason: "deadline" | "aborted";
  /** Resolves when the connection is idle or gone, within a bounded time. */
  readonly settled: Promise<void>;
  /** Nothing of it can take effect any more: it was to be committed by another message. */
  readonly isHarmless: boolean;

  constructor(reason: "deadline" | "aborted", settled: Promise<void>, isHarmless: boolean) {
    super(reason);
    this.reason = reason;
    this.settled = settled;
    this.isHarmless = isHarmless;
  }
}

/** What a statement is run on: a lease, or a connection of somebody's own. */
interface Holding {
  readonly node: string;
  readonly connection: Connection;
}

/** After a cancel was asked for, a server that lives gives the connection back within this time; else it is not waited for. */
const CANCEL_GRACE_MS = 1000;

/**
 * Runs one statement on a connection, no longer than the call; one whose rows pass through a channel is bounded by the
 * call's deadline until it has begun to answer, and then by its signal alone. The lease stays the caller's.
 * @param opening a BEGIN that goes before it in the same flush, and leaves the transaction open
 * @throws {Interrupted} at the call's end; else what the driver's connection throws
 */
export function run(
  context: SessionContext,
  lease: Holding,
  statement: Statement,
  call: Call,
  opening?: Statement,
): Promise<Result> {
  const { connection } = lease;
  connection.serveAs?.(context.cell.current.primary === lease.node ? "primary" : "mirror");
  const running = opening === undefined ? connection.run(statement) : connection.begin(opening, statement);
  const onEnd = (cause: Cause): Interrupted => {
    const settled = giveUp(context, lease, running);
    return new Interrupted(cause === "aborted" ? "aborted" : "deadline", settled, opening !== undefined);
  };
  const { channel } = statement;
  return channel === undefined ? call.guard(running, onEnd) : runStream(context, channel, running, call, onEnd);
}

function runStream(
  context: SessionContext,
  channel: Channel,
  running: Promise<Result>,
  call: Call,
  onEnd: (cause: Cause) => Interrupted,
): Promise<Result> {
  // whether it failed is seen in the second part
  const opened = Promise.race([channel.opened, running.then(ignore, ignore)]);
  const untilEnd = (): Promise<Result> =>
    context.createCall(Number.POSITIVE_INFINITY, call.signal).guard(running, onEnd);
  return call.guard(opened, onEnd).then(untilEnd);
}

const ignore = (): void => {};

/** Asks the server to cancel, and destroys the connection unless that certainly ended this statement and no later one. */
async function giveUp(context: SessionContext, { connection }: Holding, running: Promise<Result>): Promise<void> {
  const { environment, driver, cancels } = context;
  const cancelling = cancels.ask(connection);
  let timer: Timer | undefined;
  const late = new Promise<false>((resolve) => {
    const onLate = (): void => {
      connection.destroy();
      resolve(false);
    };
    timer = environment.schedule(CANCEL_GRACE_MS, onLate, false);
  });
  try {
    await running;
    connection.destroy(); // it had ended by itself: the cancel may still be on its way and would hit the next statement
  } catch (error) {
    const isTaken = await Promise.race([cancelling, late]);
    if (!isTaken || driver.classify(error).kind !== "statement") connection.destroy();
  } finally {
    timer?.cancel();
  }
}
