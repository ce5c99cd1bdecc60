import type { Connection, Driver, Observation, Result, StatementFacts } from "@mirrorpool/core";

/** Of all statements here. */
export const READ: StatementFacts = {
  intent: "read",
  transaction: "none",
  session: "none",
  transactional: true,
  multiple: false,
  stream: false,
  command: "SELECT",
};

/** What a primary says of itself. */
export const PRIMARY: Observation = {
  role: "primary",
  isWritable: true,
  systemId: "stub",
  instance: "stub",
  timeline: 1,
  position: "0",
};

/** What every statement on a stub answers, here and in the stubs of other libraries. */
export const ANSWER: Result<{ readonly one: number }> = { rows: [{ one: 1 }], rowCount: 1, command: "SELECT" };

/** A driver whose server is always there, a primary, and answers at once: what is left is the cost of the pool. */
export const stubDriver: Driver = {
  name: "stub",
  defaultPort: 1,
  positions: { covers: () => true, distanceBytes: () => 0 },
  transactions: { begin: () => "BEGIN", commit: "COMMIT", rollback: "ROLLBACK" },
  parseUrl: (url) => ({ host: new URL(url).hostname, port: 1 }),
  connect: async () => new StubConnection(),
  probe: async () => PRIMARY,
  classify: () => ({ kind: "statement", code: undefined }),
  inspect: () => READ,
};

class StubConnection implements Connection {
  status: Connection["status"] = "idle";
  readonly isInTransaction = false;

  async run(): Promise<Result> {
    return ANSWER;
  }

  async begin(): Promise<Result> {
    return ANSWER;
  }

  get sessionId(): undefined {
    return undefined;
  }

  async cancel(): Promise<void> {}

  destroy(): void {
    this.status = "closed";
  }

  async close(): Promise<void> {
    this.status = "closed";
  }

  onClose(): void {}

  setRef(): void {}
}
