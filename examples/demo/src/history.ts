/** One operation of a workload, from its start to its end. Times are milliseconds since the run began. */
export interface Operation {
  /** Written with the operation: found once in the database, or not at all. */
  readonly token: string;
  readonly kind: "write" | "read-back" | "transaction";
  readonly startedAt: number;
  endedAt: number | undefined;
  /** Undefined while it runs. `commit-unknown`: an error that says so; `error`: any other that the application saw. */
  outcome: "ok" | "commit-unknown" | "error" | undefined;
}

/** Everything that one client's workload did, in order of its start. */
export class History {
  readonly operations: Operation[] = [];
  /** What the errors said, and how often. */
  readonly errors: Map<string, number> = new Map();
  readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  async record(token: string, kind: Operation["kind"], work: () => Promise<unknown>): Promise<boolean> {
    const operation: Operation = { token, kind, startedAt: this.now(), endedAt: undefined, outcome: undefined };
    this.operations.push(operation);
    try {
      await work();
      operation.outcome = "ok";
    } catch (error) {
      // the ORMs wrap the pool's errors in their own, and keep the code
      operation.outcome = codeOf(error) === "COMMIT_UNKNOWN" ? "commit-unknown" : "error";
      const text = textOf(error);
      this.errors.set(text, (this.errors.get(text) ?? 0) + 1);
    }
    operation.endedAt = this.now();
    return operation.outcome === "ok";
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}

const TEXT_LENGTH = 120;

/** Short, and the same for the same reason: without the names of single orders. */
function textOf(error: unknown): string {
  const message = error instanceof Error ? error.message || error.name : String(error);
  const code = codeOf(error);
  const [line = ""] = message.trim().split("\n");
  const text = typeof code === "string" && !line.includes(code) ? `${code}: ${line}` : line;
  return text.length > TEXT_LENGTH ? `${text.slice(0, TEXT_LENGTH)}…` : text;
}
