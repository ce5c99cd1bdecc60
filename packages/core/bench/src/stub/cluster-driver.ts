import type { Connection, Driver, Result, Statement } from "@mirrorpool/core";
import { ANSWER, PRIMARY, READ, stubDriver } from "./driver.ts";

/** Many servers that answer at once, of which the first one is the primary. */
export interface StubServers {
  readonly driver: Driver;
  readonly nodes: readonly { readonly name: string; readonly host: string }[];
  /** Questions of the monitors until now. */
  readonly probes: number;
  /** Statements wait until it is opened again. */
  close(): void;
  open(): void;
}

class StubSession implements Connection {
  readonly host: string;
  readonly #gate: () => Promise<void> | undefined;
  #status: Connection["status"] = "idle";

  constructor(host: string, gate: () => Promise<void> | undefined) {
    this.host = host;
    this.#gate = gate;
  }

  get status(): Connection["status"] {
    return this.#status;
  }

  get isInTransaction(): boolean {
    return this.#status === "transaction";
  }

  async run({ text }: Statement): Promise<Result> {
    if (text === "BEGIN") this.#status = "transaction";
    if (text === "ROLLBACK") this.#status = "idle";
    await this.#gate();
    return ANSWER;
  }

  begin(statement: Statement): Promise<Result> {
    return this.run(statement);
  }

  get sessionId(): undefined {
    return undefined;
  }

  async cancel(): Promise<void> {}

  destroy(): void {
    this.#status = "closed";
  }

  async close(): Promise<void> {
    this.destroy();
  }

  onClose(): void {}

  setRef(): void {}
}

const FACTS = {
  BEGIN: { ...READ, transaction: "begin", command: "BEGIN" },
  ROLLBACK: { ...READ, transaction: "rollback", command: "ROLLBACK" },
} as const;

/** A driver for so many servers. */
export function stubServers(count: number): StubServers {
  const nodes = Array.from({ length: count }, (_, index) => ({ name: `node${index + 1}`, host: `stub${index + 1}` }));
  const primary = nodes[0]?.host;
  let probes = 0;
  let gate: Promise<void> | undefined;
  let letThrough = (): void => {};
  const driver: Driver = {
    ...stubDriver,
    connect: async ({ host }) => new StubSession(host, () => gate),
    async probe(connection) {
      probes += 1;
      const { host } = connection as StubSession; // ours, as all that are opened
      return { ...PRIMARY, instance: host, role: host === primary ? "primary" : "mirror" };
    },
    inspect: (text) => (text === "BEGIN" || text === "ROLLBACK" ? FACTS[text] : READ),
  };
  return {
    driver,
    nodes,
    get probes() {
      return probes;
    },
    close() {
      gate = new Promise((resolve) => {
        letThrough = resolve;
      });
    },
    open() {
      letThrough();
      gate = undefined;
    },
  };
}
