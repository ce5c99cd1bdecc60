import { expect, test } from "vitest";
import type { Evidence, FinalState } from "../evidence.ts";
import type { Operation, OperationKind, Outcome } from "../history.ts";
import { createReport } from "../report.ts";
import type { Violation } from "./check.ts";
import { judge } from "./checks.ts";

const acknowledged: Outcome = { type: "acknowledged" };

function failed(code: string | undefined): Outcome {
  return { type: "failed", name: "SomeError", code, message: "it failed" };
}

function operation(id: number, kind: OperationKind, changes: Partial<Operation> = {}): Operation {
  return { id, kind, calledAt: 100, deadlineAt: 30_100, endedAt: 110, outcome: acknowledged, ...changes };
}

/** Two accounts with 100 each, one counter, and nothing done yet. */
const opening: FinalState = {
  entries: [],
  journal: [],
  readings: [],
  balances: new Map([
    [1, 100],
    [2, 100],
  ]),
  counters: new Map([[1, 0]]),
};

function evidence(changes: Partial<Omit<Evidence, "final">> & { readonly final?: Partial<FinalState> } = {}): Evidence {
  return {
    operations: [],
    openingBalance: 100,
    superseded: [],
    uncaught: [],
    complaints: [],
    stuck: [],
    ...changes,
    final: { ...opening, ...changes.final },
  };
}

const moved: Partial<FinalState> = {
  journal: [{ op: 0, debited: 1, credited: 2, amount: 10 }],
  balances: new Map([
    [1, 90],
    [2, 110],
  ]),
};

const good: readonly (readonly [string, Evidence])[] = [
  ["nothing was done", evidence()],
  ["a transfer", evidence({ operations: [operation(0, "transfer")], final: moved })],
  [
    "an append, and reads",
    evidence({
      operations: [operation(0, "append"), operation(1, "sum"), operation(2, "read-back")],
      final: { entries: [{ op: 0 }] },
    }),
  ],
  [
    "two read-modify-writes, the second of which was called first",
    evidence({
      operations: [operation(0, "read-modify-write"), operation(1, "read-modify-write")],
      final: {
        readings: [
          { op: 0, counter: 1, seen: 1 },
          { op: 1, counter: 1, seen: 0 },
        ],
        counters: new Map([[1, 2]]),
      },
    }),
  ],
  [
    "a write of unknown outcome at its deadline that took place",
    evidence({
      operations: [operation(0, "append", { endedAt: 30_105, outcome: failed("COMMIT_UNKNOWN") })],
      final: { entries: [{ op: 0 }] },
    }),
  ],
  [
    "a write of unknown outcome at its deadline that did not take place",
    evidence({ operations: [operation(0, "append", { endedAt: 30_105, outcome: failed("COMMIT_UNKNOWN") })] }),
  ],
  [
    "no primary until the deadline",
    evidence({ operations: [operation(0, "transfer", { endedAt: 30_100, outcome: failed("NO_PRIMARY") })] }),
  ],
  [
    "no primary until the deadline, on which an open transaction could have been replayed",
    evidence({ operations: [operation(0, "transfer", { endedAt: 30_100, outcome: failed("TRANSACTION_LOST") })] }),
  ],
  [
    "a replay that read what another one had changed",
    evidence({ operations: [operation(0, "read-modify-write", { outcome: failed("REPLAY_MISMATCH") })] }),
  ],
  [
    "a superseded primary with what was run again on the new one",
    evidence({
      operations: [operation(0, "append", { endedAt: 900 })],
      final: { entries: [{ op: 0 }] },
      superseded: [{ node: "node1", promotedAt: 500, operations: [0] }],
    }),
  ],
  [
    "a superseded primary with what nobody was told of",
    evidence({
      operations: [operation(0, "append", { endedAt: 30_105, outcome: failed("COMMIT_UNKNOWN") })],
      superseded: [{ node: "node1", promotedAt: 500, operations: [0] }],
    }),
  ],
];

test.each(good)("%s: no rule is broken", (_, given) => {
  expect(judge(given)).toEqual([]);
});

const bad: readonly (readonly [string, Evidence, Violation["rule"]])[] = [
  ["an acknowledged append is not there", evidence({ operations: [operation(0, "append")] }), "lost"],
  ["an acknowledged transfer is not there", evidence({ operations: [operation(0, "transfer")] }), "lost"],
  [
    "an append is there twice",
    evidence({ operations: [operation(0, "append")], final: { entries: [{ op: 0 }, { op: 0 }] } }),
    "duplicated",
  ],
  [
    "an append that failed is there twice",
    evidence({
      operations: [operation(0, "append", { endedAt: 30_105, outcome: failed("COMMIT_UNKNOWN") })],
      final: { entries: [{ op: 0 }, { op: 0 }] },
    }),
    "duplicated",
  ],
  [
    "a write that certainly failed is there",
    evidence({
      operations: [operation(0, "append", { endedAt: 30_100, outcome: failed("NO_PRIMARY") })],
      final: { entries: [{ op: 0 }] },
    }),
    "effect of a failed write",
  ],
  ["a row that nobody wrote", evidence({ final: { entries: [{ op: 7 }] } }), "effect of nobody"],
  [
    "a row of an operation that only reads",
    evidence({ operations: [operation(0, "sum")], final: { entries: [{ op: 0 }] } }),
    "effect of nobody",
  ],
  [
    "money that came from nowhere",
    evidence({
      operations: [operation(0, "transfer")],
      final: { ...moved, balances: new Map(moved.balances).set(1, 100) },
    }),
    "balance",
  ],
  [
    "a transfer whose journal is there without it, although the sum is kept",
    evidence({ operations: [operation(0, "transfer")], final: { journal: moved.journal ?? [] } }),
    "balance",
  ],
  [
    "two read-modify-writes that have seen the same",
    evidence({
      operations: [operation(0, "read-modify-write"), operation(1, "read-modify-write")],
      final: {
        readings: [
          { op: 0, counter: 1, seen: 0 },
          { op: 1, counter: 1, seen: 0 },
        ],
        counters: new Map([[1, 1]]),
      },
    }),
    "lost update",
  ],
  ["a counter that is ahead of its readings", evidence({ final: { counters: new Map([[1, 1]]) } }), "lost update"],
  [
    "a sum in the middle of a transfer",
    evidence({ operations: [operation(0, "sum", { outcome: { type: "wrong", what: "a sum of 190" } })] }),
    "wrong answer",
  ],
  [
    "a write that only the superseded primary has, acknowledged after the promotion",
    evidence({
      operations: [operation(0, "append", { endedAt: 900 })],
      superseded: [{ node: "node1", promotedAt: 500, operations: [0] }],
    }),
    "stale epoch",
  ],
  [
    "an unknown outcome long before the deadline",
    evidence({ operations: [operation(0, "append", { outcome: failed("COMMIT_UNKNOWN") })] }),
    "unexplained error",
  ],
  [
    "an unknown outcome of a read",
    evidence({ operations: [operation(0, "sum", { endedAt: 30_100, outcome: failed("COMMIT_UNKNOWN") })] }),
    "unexplained error",
  ],
  [
    "a replay of statements that answer the same whoever else has written, said not to match",
    evidence({ operations: [operation(0, "transfer", { outcome: failed("REPLAY_MISMATCH") })] }),
    "unexplained error",
  ],
  ...["TRANSACTION_LOST", "SESSION_LOST", "SPLIT_BRAIN", "READ_LOST", "25006", "57P01", "40P01", undefined].map(
    (code) =>
      [
        `an error ${code}, for which this workload gives no reason`,
        evidence({ operations: [operation(0, "transfer", { outcome: failed(code) })] }),
        "unexplained error",
      ] as const,
  ),
  [
    "a call that ended long after its deadline",
    evidence({ operations: [operation(0, "sum", { endedAt: 33_000 })] }),
    "hung",
  ],
  [
    "a call that never ended",
    evidence({ operations: [operation(0, "sum", { endedAt: undefined, outcome: undefined })] }),
    "hung",
  ],
  ["an error that reached the process", evidence({ uncaught: ["Error: nobody caught it"] }), "uncaught"],
  ["a loss that the pool reports where none can be", evidence({ complaints: ["acked-writes-lost"] }), "complaint"],
  ["work that did not go on", evidence({ stuck: ["waited for work to go on"] }), "stuck"],
];

test.each(bad)("%s: that is noticed", (_, given, rule) => {
  expect(new Set(judge(given).map((each) => each.rule))).toContain(rule);
});

test("the report counts what was judged", () => {
  const given = evidence({
    operations: [
      operation(0, "append"),
      operation(1, "append"),
      operation(2, "sum", { outcome: failed("57P01") }),
      operation(3, "sum", { endedAt: undefined, outcome: undefined }),
    ],
    final: { entries: [{ op: 0 }, { op: 0 }] },
    superseded: [{ node: "node1", promotedAt: 50, operations: [1] }],
    uncaught: ["Error"],
  });
  expect(createReport("postgres", 5, 2, given)).toMatchObject({
    seed: 5,
    faults: 2,
    operations: 4,
    acknowledged: 2,
    lost: 1,
    duplicated: 1,
    surfacedErrors: 1,
    unexplainedErrors: 1,
    hung: 1,
    uncaught: 1,
    staleEpochWrites: 1,
  });
});
