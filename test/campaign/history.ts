/** What one operation of the workload does. */
export type OperationKind = "transfer" | "append" | "read-modify-write" | "sum" | "read-back";

const READS: ReadonlySet<OperationKind> = new Set(["sum", "read-back"]);

/** How an operation ended for the application. */
export type Outcome =
  | { readonly type: "acknowledged" }
  | { readonly type: "failed"; readonly name: string; readonly code: string | undefined; readonly message: string }
  /** It was answered, and the answer cannot be true. */
  | { readonly type: "wrong"; readonly what: string };

/** One operation, from its call to its end. Times are milliseconds since the campaign began. */
export interface Operation {
  /** Written with all that it writes: so its effects are counted afterwards. */
  readonly id: number;
  readonly kind: OperationKind;
  readonly calledAt: number;
  readonly deadlineAt: number;
  /** Undefined while it is under way. */
  readonly endedAt: number | undefined;
  readonly outcome: Outcome | undefined;
}

/** An answer that cannot be true; thrown by the operation that was given it. */
export class WrongAnswer extends Error {
  override readonly name = "WrongAnswer";
}

/** Everything that the workload did, in order of its calls. */
export class History {
  readonly #operations: Operation[] = [];
  readonly #origin = performance.now();

  get operations(): readonly Operation[] {
    return this.#operations;
  }

  now(): number {
    return performance.now() - this.#origin;
  }

  /** Follows an operation to its end. Never rejects. */
  async record(kind: OperationKind, timeoutMs: number, work: (id: number) => Promise<unknown>): Promise<Operation> {
    const id = this.#operations.length;
    const calledAt = this.now();
    const called: Operation = {
      id,
      kind,
      calledAt,
      deadlineAt: calledAt + timeoutMs,
      endedAt: undefined,
      outcome: undefined,
    };
    this.#operations.push(called);
    const outcome = await outcomeOf(work(id));
    const ended: Operation = { ...called, endedAt: this.now(), outcome };
    this.#operations[id] = ended;
    return ended;
  }

  /** How many writes that were called at or after that time have been acknowledged. */
  writesAcknowledgedSince(time: number): number {
    let count = 0;
    for (let id = this.#operations.length - 1; id >= 0; id -= 1) {
      const operation = this.#operations[id];
      if (operation === undefined || operation.calledAt < time) break;
      if (!READS.has(operation.kind) && operation.outcome?.type === "acknowledged") count += 1;
    }
    return count;
  }

  /** The oldest operation that is under way, or else the next one. */
  oldestUnderWay(): number {
    const index = this.#operations.findIndex(({ endedAt }) => endedAt === undefined);
    return index === -1 ? this.#operations.length : index;
  }
}

async function outcomeOf(work: Promise<unknown>): Promise<Outcome> {
  try {
    await work;
    return { type: "acknowledged" };
  } catch (error) {
    if (error instanceof WrongAnswer) return { type: "wrong", what: error.message };
    if (!(error instanceof Error)) return { type: "failed", name: "no error", code: undefined, message: String(error) };
    const code = "code" in error ? String(error.code) : undefined;
    return { type: "failed", name: error.name, code, message: messageOf(error) };
  }
}

/** With the messages of its causes: why an error surfaced is what has to be found out. */
function messageOf(error: Error): string {
  const { message, cause } = error;
  return cause instanceof Error ? `${message}; because: ${messageOf(cause)}` : message;
}
