import type { Observation } from "@mirrorpool/core";
import { expect, test } from "vitest";
import type { Happening, Recorded, Stand } from "../history.ts";
import type { Setting } from "../setting.ts";
import { tryOut } from "../trial.ts";
import { judge } from "./checks.ts";

const stand: Stand = { epoch: 1, primary: "a", isWritable: true, isSplit: false };

/** One thing after the other, a millisecond and an event apart, after a look at the primary. */
function historyOf(...happenings: readonly Happening[]): Recorded[] {
  const end: Happening = { type: "final", openConnections: [], armedTimers: 0, hedged: 0, hedgesWon: 0, tokens: [] };
  const hasEnd = happenings.some(({ type }) => type === "final");
  return [observed("a", {}), ...happenings, ...(hasEnd ? [] : [end])].map((happening, index) => ({
    at: index,
    step: index,
    ...happening,
  }));
}

function call(id: number, changes: Partial<Extract<Happening, { type: "call" }>> = {}): Happening {
  return {
    type: "call",
    call: id,
    parent: undefined,
    kind: "write",
    text: "WRITE t1",
    deadline: 100,
    mustSucceed: false,
    ...changes,
  };
}

function sent(id: number, changes: Partial<Extract<Happening, { type: "sent" }>> = {}): Happening {
  return {
    type: "sent",
    send: id,
    call: 1,
    holder: undefined,
    text: "WRITE t1",
    connection: 7,
    node: "a",
    instance: "a.1",
    inTransaction: false,
    isPinned: false,
    stand,
    ...changes,
  };
}

function observed(node: string, changes: Partial<Observation>): Happening {
  const observation: Observation = {
    role: "primary",
    isWritable: true,
    systemId: "system-1",
    instance: `${node}.1`,
    timeline: 1,
    position: "0",
    ...changes,
  };
  return { type: "observed", node, isGreeting: false, observation, toldAt: 0 };
}

const applied: Extract<Happening, { type: "applied" }> = {
  type: "applied",
  token: "t1",
  server: "a",
  timeline: 1,
  isAgain: false,
};
const done: Happening = { type: "end", call: 1 };

const claim = (fate: "committed" | "not-committed" | "unknown"): Happening => ({
  type: "claim",
  unit: "t1",
  tokens: ["t1"],
  fate,
  copies: 2,
  call: 1,
});

/** The first happening of a history in which writes shall be mirrored. */
const mirrored: Happening = {
  type: "setting",
  seed: 1,
  setting: { pool: { durability: "mirrored" }, world: { flavour: "timelines" } } as unknown as Setting, // what checks look at
};

const failed = (name: string, code: string): Happening => ({
  type: "end",
  call: 1,
  error: { name, code, message: "", isRetryable: false },
});

const flawless: readonly Happening[] = [
  call(1),
  sent(2),
  applied,
  { type: "answered", send: 2 },
  done,
  claim("committed"),
];

test("a history in which all went well breaks no rule", () => {
  expect(judge(historyOf(...flawless))).toEqual([]);
});

/** What the checks have to find, each in a history that is wrong in one way only. */
const wrong: readonly (readonly [sentence: string, rule: string, happenings: readonly Happening[]])[] = [
  [
    "a write to a node on an older timeline than one that was seen",
    "no write to a superseded primary",
    [observed("a", {}), observed("b", { timeline: 2 }), ...flawless],
  ],
  [
    "a statement to a server that nobody had looked at",
    "no write to a superseded primary",
    [call(1), sent(2, { instance: "a.2" }), applied, { type: "answered", send: 2 }, done, claim("committed")],
  ],
  [
    "a write to a node that had said that it is a mirror",
    "no write to a superseded primary",
    [observed("a", { role: "mirror", isWritable: false }), ...flawless],
  ],
  [
    "a write to a node that was not the primary of the pool's own topology",
    "no write to a superseded primary",
    [call(1), sent(2, { stand: { ...stand, primary: "b" } }), applied, { type: "answered", send: 2 }, done],
  ],
  [
    "the rest of a transaction on a node that is superseded by then",
    "no write to a superseded primary",
    [observed("a", {}), observed("b", { timeline: 2 }), sent(2, { text: "COMMIT", inTransaction: true })],
  ],
  [
    "a read on a node of another cluster",
    "no write to a superseded primary",
    [observed("a", { systemId: "system-2" }), sent(2, { text: "READ" })],
  ],
  ["a write that is sent again without an answer", "no write runs twice", [call(1), sent(2), sent(3), applied, done]],
  [
    "a write that is committed twice",
    "no write runs twice",
    [call(1), sent(2), applied, { ...applied, server: "b" }, done],
  ],
  ["an acknowledged write that nobody has committed", "claims are true", [call(1), sent(2), done, claim("committed")]],
  [
    "an acknowledged write that was committed elsewhere than it was sent to",
    "claims are true",
    [call(1), sent(2), { ...applied, server: "b" }, done, claim("committed")],
  ],
  [
    "a write that was said to have had no effect, and that is committed later",
    "claims are true",
    [call(1), sent(2), failed("QueueFullError", "QUEUE_FULL"), claim("not-committed"), applied],
  ],
  [
    "an unknown outcome of a write that was never sent",
    "errors are allowed",
    [call(1), failed("CommitUnknownError", "COMMIT_UNKNOWN"), claim("unknown")],
  ],
  [
    "an unknown outcome of a read",
    "errors are allowed",
    [call(1, { kind: "read", text: "READ" }), failed("CommitUnknownError", "COMMIT_UNKNOWN")],
  ],
  ["a deadline error before the deadline", "errors are allowed", [call(1), failed("DeadlineError", "DEADLINE")]],
  ["an abort that nobody asked for", "errors are allowed", [call(1), failed("AbortError", "ABORTED")]],
  [
    "a lost connection that reaches the application",
    "errors are allowed",
    [call(1), failed("SimulatedError", "ECONNRESET")],
  ],
  ["an error of no kind", "errors are allowed", [call(1), failed("TypeError", "undefined")]],
  [
    "a read that does not see what was acknowledged",
    "reads see own writes",
    [call(1, { kind: "read", text: "READ" }), { type: "end", call: 1, reads: [], mustSee: ["t1"] }],
  ],
  [
    "an epoch that goes back",
    "epochs never go back",
    [sent(2, { text: "READ", stand: { ...stand, epoch: 2 } }), sent(3, { text: "READ" })],
  ],
  [
    "two primaries of one epoch",
    "epochs never go back",
    [sent(2, { text: "READ" }), sent(3, { text: "READ", stand: { ...stand, primary: "b" } })],
  ],
  [
    "an acknowledged write that one server has alone, where it shall be mirrored",
    "acknowledged is mirrored",
    [mirrored, ...flawless.slice(0, -1), { ...claim("committed"), copies: 1 } as Happening],
  ],
  [
    "a write that is said to be on no mirror where nobody waits for one",
    "errors are allowed",
    [call(1), failed("NotMirroredError", "NOT_MIRRORED")],
  ],
  ["a call that ends after its deadline", "every call ends in time", [call(1, { deadline: -20 }), done]],
  ["a call that never ends", "every call ends in time", [call(1)]],
  [
    "a call that goes on after its signal",
    "every call ends in time",
    [call(1), { type: "abort", call: 1 }, sent(2), applied, { type: "answered", send: 2 }, done],
  ],
  [
    "a call that fails after all troubles",
    "calls succeed again",
    [call(1, { mustSucceed: true, deadline: 0 }), failed("NoPrimaryError", "NO_PRIMARY")],
  ],
  [
    "a connection that is open after close()",
    "nothing is leaked",
    [{ type: "final", openConnections: [7], armedTimers: 0, hedged: 0, hedgesWon: 0, tokens: [] }],
  ],
  [
    "a timer that is armed after close()",
    "nothing is leaked",
    [{ type: "final", openConnections: [], armedTimers: 1, hedged: 0, hedgesWon: 0, tokens: [] }],
  ],
  ["a breach of the port's contract", "the contract is kept", [{ type: "broken", what: "two statements at once" }]],
];

test.each(wrong)("the checks find %s", (_, rule, happenings) => {
  const rules = judge(historyOf(...happenings)).map((violation) => violation.rule);
  expect(new Set(rules)).toEqual(new Set([rule]));
});

test("a stalled process is excused for what it could not notice", () => {
  const late = historyOf(call(1, { deadline: -20 }), { type: "stall", forMs: 50 }, sent(2), applied, done);
  const stalledAt = late.map((each) => (each.type === "stall" ? { ...each, at: -25 } : each));
  expect(judge(stalledAt)).toEqual([]);
});

test("the simulation meets all the troubles that it is there for", async () => {
  const met = new Set<string>();
  for (let seed = 1; seed <= 400; seed += 1) for (const thing of (await tryOut(seed)).outline()) met.add(thing);
  const expected = [
    ...["primary-changed", "primary-lost", "primary-restored", "split-brain", "node-fenced", "node-misconfigured"],
    ...["misrouted", "rerun", "commit-unknown", "paused", "resumed", "replayed", "acked-writes-lost"],
    ...[
      "COMMIT_UNKNOWN",
      "TRANSACTION_LOST",
      "TRANSACTION_ABORTED",
      "NOT_MIRRORED",
      "SESSION_LOST",
      "READ_LOST",
      "REPLAY_MISMATCH",
      "DEADLINE",
      "ABORTED",
    ],
    ...["NO_PRIMARY", "NO_NODE", "SPLIT_BRAIN", "ACQUIRE_TIMEOUT", "QUEUE_FULL", "POOL_CLOSED", "SWITCHOVER_FAILED"],
    ...[
      "hedged",
      "hedge-won",
      "superseded",
      "foreign",
      "rival",
      "switchover",
      "failover",
      "stall",
      "23505",
      "25P02",
      "40P01",
    ],
  ];
  expect(expected.filter((thing) => !met.has(thing))).toEqual([]);
}, 120_000);
