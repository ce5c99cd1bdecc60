import type { Call } from "../call.ts";
import type { Result, Statement } from "../driver.ts";
import { acquire, maySend, TO_PRIMARY } from "./acquire.ts";
import type { SessionContext } from "./context.ts";
import { Interrupted, run } from "./run.ts";

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
