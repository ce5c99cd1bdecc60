/** One operation of the workload, from its start to its end. Times are milliseconds since the run began. */
export interface Operation {
  /** Written with the operation: found once in the database, or not at all. */
  readonly token: string;
  readonly kind: "write" | "read-back" | "transaction";
  readonly startedAt: number;
  endedAt: number | undefined;
  /** Undefined while it runs; `ok`, or the name of the error that the application saw. */
  outcome: string | undefined;
}

/** Everything that the workload did, in order of its start. */
export class History {
  readonly operations: Operation[] = [];
  readonly #origin = performance.now();

  now(): number {
    return performance.now() - this.#origin;
  }

  async record(token: string, kind: Operation["kind"], work: () => Promise<unknown>): Promise<boolean> {
    const operation: Operation = { token, kind, startedAt: this.now(), endedAt: undefined, outcome: undefined };
    this.operations.push(operation);
    try {
      await work();
      operation.outcome = "ok";
    } catch (error) {
      operation.outcome = error instanceof Error ? error.name : String(error);
    }
    operation.endedAt = this.now();
    return operation.outcome === "ok";
  }
}
