import type { Call, CallOptions } from "../call.ts";
import { AbortedError, PoolClosedError, SwitchoverError } from "../errors.ts";
import { isUsable } from "../topology/node.ts";
import { describeNodes, reportNodes } from "../topology/report.ts";
import { until } from "../topology/until.ts";
import type { SessionContext } from "./context.ts";
import { drain } from "./drain.ts";

/** What the hand-over hook is told. */
export interface PromoteRequest {
  readonly from: string | undefined;
  readonly to: string;
  /** Fires when the switchover is out of time. */
  readonly signal: AbortSignal;
}

export interface SwitchoverOptions extends CallOptions {
  /** The mirror that shall be the primary. */
  readonly to: string;
  /**
   * Makes it so: demotes or stops the old primary and promotes the mirror, by whatever manages the cluster. Called when no
   * write of this pool is under way and the mirror has everything. Reads go on meanwhile.
   */
  readonly promote: (request: PromoteRequest) => Promise<void>;
}

const CATCH_UP_POLL_MS = 10;

/**
 * Hands the primary over without an error: holds new writes, lets those under way end, waits until the mirror has
 * everything, has it promoted, and lets the writes go when the monitor has seen it.
 * @throws {SwitchoverError} when a step does not end in time; held writes are let go either way
 */
export async function switchover(context: SessionContext, options: SwitchoverOptions, call: Call): Promise<void> {
  const { cell, work, environment } = context;
  const { to, promote } = options;
  call.throwIfAborted();
  const from = cell.current.primary;
  const target = cell.current.nodes.get(to);
  if (target === undefined || from === to || !isUsable(target) || target.observation?.role !== "mirror") {
    const nodes = describeNodes(reportNodes(cell.current, environment.now()));
    throw new SwitchoverError(`${to} is not a mirror in use: ${nodes}`);
  }
  if (cell.current.hold !== "none")
    throw new SwitchoverError("new work is held already, by pause() or another switchover");
  const fail = (what: string): never => {
    call.throwIfAborted();
    if (context.isClosed) throw new PoolClosedError();
    throw new SwitchoverError(
      `${what} within ${Math.round(environment.now() - call.startedAt)} ms; nothing was changed`,
    );
  };
  cell.apply({ type: "held", hold: "writes" });
  try {
    if (!(await drain(work, "writes", call))) fail(`${work.writes} writes and transactions did not end`);
    if (!(await caughtUp(context, to, call))) fail(`${to} did not catch up`);
    await handOver(promote, { from, to }, call);
    const isDone = await until(cell, (topology) => topology.primary === to && topology.isWritable, call);
    if (!isDone) throw new SwitchoverError(`${to} was promoted, but was not seen taking writes before the call ended`);
  } finally {
    cell.apply({ type: "held", hold: "none" });
  }
}

/** The mirror has replayed a sample of the primary that was taken after the last write had ended. */
async function caughtUp(context: SessionContext, to: string, call: Call): Promise<boolean> {
  const drainedAt = context.environment.now();
  const isFresh = (): boolean =>
    (context.cell.current.nodes.get(to)?.freshAsOf ?? Number.NEGATIVE_INFINITY) >= drainedAt;
  while (!isFresh()) {
    if (call.isOver || context.isClosed) return false;
    call.throwIfAborted();
    context.suspect();
    await until(context.cell, isFresh, call, CATCH_UP_POLL_MS);
  }
  return true;
}

async function handOver(
  promote: SwitchoverOptions["promote"],
  request: Omit<PromoteRequest, "signal">,
  call: Call,
): Promise<void> {
  const attempt = new AbortController();
  await call.wait<void>(
    (resolve, reject) => {
      const work = async (): Promise<void> => promote({ ...request, signal: attempt.signal });
      work().then(resolve, (cause) => reject(new SwitchoverError(`promote() of ${request.to} failed`, cause)));
    },
    (cause) => {
      const error =
        cause === "aborted"
          ? new SwitchoverError(
              `promote() of ${request.to} was aborted; what it did is not known`,
              new AbortedError(call.signal?.reason),
            )
          : new SwitchoverError(`promote() of ${request.to} did not end in time; what it did is not known`);
      attempt.abort(error);
      return error;
    },
  );
}
