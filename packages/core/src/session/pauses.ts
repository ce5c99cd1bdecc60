import type { CallOptions } from "../call.ts";
import { AbortedError, MirrorpoolError, PoolClosedError } from "../errors.ts";
import { either, Interruption } from "../interruption.ts";
import { until } from "../topology/until.ts";
import type { SessionContext } from "./context.ts";
import { drain } from "./drain.ts";

/** Holds of all new work, by any number of callers at once. */
export class Pauses {
  readonly #context: SessionContext;
  readonly #begun = new Set<Interruption>();

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /**
   * Resolves when nothing is under way and nothing can begin. Lets a switchover end first.
   * @throws {AbortedError} also when it is resumed before that: work goes on then, and who has waited for its end must not begin
   * @throws {MirrorpoolError} `DEADLINE`
   */
  async begin({ timeoutMs, signal }: CallOptions): Promise<void> {
    const context = this.#context;
    const { cell, work } = context;
    const pause = new Interruption();
    const call = context.createCall(timeoutMs, either(signal, pause));
    call.throwIfAborted();
    this.#begun.add(pause);
    let isHeld = false;
    try {
      const isFree = cell.current.hold !== "writes" || (await until(cell, ({ hold }) => hold !== "writes", call));
      if (isFree) {
        cell.apply({ type: "held", hold: "all" });
        isHeld = (await drain(work, "all", call)) && !pause.aborted;
      }
      if (isHeld) return;
      call.throwIfAborted();
      if (context.isClosed) throw new PoolClosedError();
      const what = isFree ? `${work.total} statements and transactions` : "a switchover";
      throw new MirrorpoolError("DEADLINE", `pause: ${what} did not end in time`);
    } catch (error) {
      throw pause.reason === RESUMED ? new AbortedError(undefined, TOO_EARLY) : error;
    } finally {
      // another pause may hold as well
      if (!isHeld && this.#begun.delete(pause) && this.#begun.size === 0) this.end();
    }
  }

  /** Ends all of them. */
  end(): void {
    const begun = [...this.#begun];
    this.#begun.clear();
    const { cell } = this.#context;
    if (cell.current.hold === "all") cell.apply({ type: "held", hold: "none" });
    for (const pause of begun) pause.fire(RESUMED);
  }
}

const RESUMED = Symbol("resumed");
const TOO_EARLY = "pause: resume() was called before everything under way had ended, and work goes on";
