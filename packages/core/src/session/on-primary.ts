import type { Call } from "../call.ts";
import type { Result, Statement } from "../driver.ts";
import { acquire, maySend, TO_PRIMARY } from "./acquire.ts";
import type { SessionContext } from "./context.ts";
import { Interrupted, run } from "./run.ts";
import { isTransient } from "./transient.ts";

/** Until a question that was lost is asked again. */
const ASK_AGAIN_MS = 25;

/** Runs one statement of the pool's own on the present primary. Not run again when it is lost: its caller asks anew. */
export async function onPrimary(context: SessionContext, statement: Statement, call: Call): Promise<Result> {
  for (;;) {
    const lease = await acquire(context, TO_PRIMARY, call);
    try {
      if (!maySend(context, TO_PRIMARY, lease.node)) continue;
      return await run(context, lease, statement, call);
    } catch (error) {
      if (error instanceof Interrupted) await error.settled;
      throw error;
    } finally {
      lease.release();
    }
  }
}

/** Asks until there is an answer: right after a failover connections are lost more often than at any other time. */
export async function askPrimary(context: SessionContext, question: Statement, call: Call): Promise<Result> {
  for (;;) {
    try {
      return await onPrimary(context, question, call);
    } catch (error) {
      if (context.isClosed || call.isOver || !isTransient(context, error)) throw error;
      context.suspect();
      await call.pause(ASK_AGAIN_MS);
    }
  }
}
