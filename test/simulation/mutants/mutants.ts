/** A way to break the core that the checks have to notice. */
export interface Mutant {
  /** What is wrong with it, as a sentence. */
  readonly name: string;
  /** Below packages/core/src. */
  readonly file: string;
  /** Occurs once in the file; when it does no more, the mutant has to be written anew. */
  readonly from: string;
  readonly to: string;
  /** The rules that it breaks: one of them is the first to be seen. */
  readonly rules: readonly string[];
  /** The seed to begin with, for what only few settings show: where it was seen once, it is seen soon. Default: 1. */
  readonly first?: number;
}

export const mutants: readonly Mutant[] = [
  {
    name: "a commit counts as mirrored where a mirror has an earlier one",
    file: "session/mirrored.ts",
    from: "node.freshAsOf >= since",
    to: "Number.isFinite(node.freshAsOf)",
    rules: ["acknowledged is mirrored"],
  },
  {
    name: "after a failover what waited for a mirror counts as kept",
    file: "session/mirrored.ts",
    from: "await askNewPrimary(context, commit, call);",
    to: "",
    rules: ["claims are true", "acknowledged is mirrored"],
    first: 250,
  },
  {
    name: "a lost write is sent again",
    file: "session/retry.ts",
    from: 'if (hadEffect) return "commit-unknown";',
    to: 'if (hadEffect) return "rerun";',
    rules: ["no write runs twice"],
  },
  {
    name: "a lost COMMIT is said to have had no effect",
    file: "session/retry.ts",
    from: 'return mayCommit && hasWritten ? "commit-unknown" : "transaction-lost";',
    to: 'return "transaction-lost";',
    rules: ["claims are true", "no write runs twice"],
  },
  {
    name: "what follows a transaction that could not be begun runs outside of it",
    file: "session/session.ts",
    from: "if (binding.transaction === undefined) this.#aftermath.failUnbegun(error);",
    to: "",
    rules: ["claims are true"],
  },
  {
    name: "a write that was never sent is said to be of unknown outcome",
    file: "session/retry.ts",
    from: 'return circumstances.isPinned ? "session-lost" : "rerun";\n}\n\nfunction lost(',
    to: 'return "commit-unknown";\n}\n\nfunction lost(',
    rules: ["errors are allowed"],
  },
  {
    name: "a transaction that the ledger has fenced counts as committed",
    file: "session/commit.ts",
    from: 'if (fate === "fenced") throw new Undone(error);',
    to: "",
    rules: ["claims are true"],
  },
  {
    name: "the ledger is not asked before a lost commit runs again",
    file: "session/commit.ts",
    from: "const fate = await context.precedence.during(lease.node, () => settle(context, ledger, token, place, call));",
    to: 'const fate = (place.node === "" ? "committed" : "fenced") as "committed" | "fenced" | undefined;\n    void settle;',
    rules: ["claims are true", "no write runs twice"],
  },
  {
    name: "a new connection is lent before anybody has looked at its server",
    file: "cluster.ts",
    from: "await this.#introduction.greet(node.id, connection, signal);",
    to: "",
    rules: ["no write to a superseded primary"],
  },
  {
    name: "a connection that is lost in the moment of an answer ends its transaction",
    file: "session/binding.ts",
    from: "this.#lease?.connection.isInTransaction === true",
    to: '["transaction", "failed"].includes(this.#lease?.connection.status ?? "")',
    rules: ["claims are true"],
  },
  {
    name: "the election does not look at timelines",
    file: "failover/elect.ts",
    from: "if (timeline !== undefined) return timeline < topology.highestTimeline;",
    to: "if (timeline !== undefined) return false;",
    rules: ["no write to a superseded primary"],
  },
  {
    name: "without timelines a former primary reigns again that has not followed since",
    file: "failover/elect.ts",
    from: "if (node.hasFollowed || isLater(node, accepted)) return false;",
    to: "if (node !== undefined) return false;",
    rules: ["no write to a superseded primary"],
    first: 790,
  },
  {
    name: "any history counts as later than another one",
    file: "failover/elect.ts",
    from: "supersedes?.(history, older) === true",
    to: "supersedes !== undefined",
    rules: ["no write to a superseded primary", "calls succeed again"],
  },
  {
    name: "any history counts as that of a node that has followed",
    file: "failover/elect.ts",
    from: "hasFollowed?.(history, other) === true",
    to: "hasFollowed !== undefined",
    rules: ["no write to a superseded primary"],
    first: 790,
  },
  {
    name: "the topology is not asked again right before sending",
    file: "routing/route.ts",
    from: "export function mayAnswer(topology: Topology, demand: Demand, id: NodeId, rules: RoutingRules): boolean {",
    to: "export function mayAnswer(topology: Topology, demand: Demand, id: NodeId, rules: RoutingRules): boolean {\n  if (demand !== undefined) return true;",
    rules: ["no write to a superseded primary"],
  },
  {
    name: "a new primary does not begin a new epoch",
    file: "topology/reduce.ts",
    from: "epoch: before.epoch + (isNewReign ? 1 : 0),",
    to: "epoch: 1,",
    rules: ["epochs never go back"],
  },
  {
    name: "deadlines are noticed late",
    file: "deadlines.ts",
    from: "const key = Math.ceil(at / DEADLINE_RESOLUTION_MS);",
    to: "const key = Math.ceil(at / DEADLINE_RESOLUTION_MS) + 2;",
    rules: ["every call ends in time"],
  },
  {
    name: "a connection goes back with session state on it",
    file: "session/binding.ts",
    from: 'const isDirty = this.#transaction !== undefined || this.#isPinned || this.#isTainted || how === "destroy";',
    to: 'const isDirty = this.#transaction !== undefined || how === "destroy";',
    rules: ["the contract is kept"],
  },
  {
    name: "a session is given what another one has set",
    file: "session/acquire.ts",
    from: "if (!isSameState(lease.pooled.state, state)) await establish(context, lease, state, call);",
    to: "",
    rules: ["the contract is kept"],
  },
  {
    name: "a connection is believed to be clear when it comes back",
    file: "session/binding.ts",
    from: "if (this.#lease !== undefined) this.#lease.pooled.state = this.journal.state;",
    to: "",
    rules: ["the contract is kept"],
  },
  {
    name: "a probe is asked on a connection with somebody's settings",
    file: "pool/introduction.ts",
    from: "if (pooled.state !== undefined) {",
    to: "if (pooled.state === null) {",
    rules: ["the contract is kept"],
  },
  {
    name: "a COMMIT that was answered with a rollback counts as done",
    file: "session/transaction.ts",
    from: 'if (result.command === "ROLLBACK") throw',
    to: 'if (result.command === "never") throw',
    rules: ["claims are true"],
  },
  {
    name: "mirrors answer reads however old they are",
    file: "routing/freshness.ts",
    from: "return lastWrites.process;",
    to: "return Number.NEGATIVE_INFINITY;",
    rules: ["reads see own writes"],
  },
  {
    name: "close() leaves the connections on loan to themselves",
    file: "pool/node-pool.ts",
    from: 'for (const lease of [...this.#leases]) {\n      // of a cut alone the server would hear only when what runs there has ended\n      if (lease.connection.status === "busy") this.#source.cancel(lease.connection);\n      lease.destroy();\n    }\n    await Promise.all([...this.#connections].map(({ connection }) => connection.close()));',
    to: "",
    rules: ["nothing is leaked"],
  },
  {
    name: "nobody tells those who wait that there is a primary again",
    file: "failover/waiting-room.ts",
    from: "guest.resolve();",
    to: "void guest;",
    rules: ["errors are allowed"],
    first: 125,
  },
  {
    name: "a slow read that nobody waits for any more keeps its connection when it ends",
    file: "session/hedge.ts",
    from: "if (this.#isOver) {\n      this.#read.lease.release();\n      return;\n    }",
    to: "if (this.#isOver) return;",
    rules: ["calls succeed again"],
    first: 1710,
  },
  {
    name: "the caller's signal does not reach a read that runs on two nodes",
    file: "session/hedge.ts",
    from: 'this.#call.signal?.addEventListener("abort", this, { once: true });',
    to: "",
    rules: ["every call ends in time"],
  },
  {
    name: "a second node answers although it lacks what was written before",
    file: "session/hedge.ts",
    from: "this.#read = read;",
    to: "this.#read = { ...read, demand: { ...read.demand, freshAfter: Number.NEGATIVE_INFINITY } };",
    rules: ["reads see own writes"],
    first: 3855,
  },
  {
    name: "a read with a session's settings runs on a second node without them",
    file: "session/plain-read.ts",
    from: "return !isPinned && transaction === undefined && journal.state === undefined;",
    to: "return !isPinned && transaction === undefined && journal !== undefined;",
    rules: ["the contract is kept"],
    first: 675,
  },
  {
    name: "a connection that a slow read has lost is never given back",
    file: "session/hedge.ts",
    from: "if (this.#isOver) {\n      void settled(error).then(() => this.#read.lease.release());\n      return;\n    }",
    to: "if (this.#isOver) return;",
    rules: ["calls succeed again"],
    first: 575,
  },
];
