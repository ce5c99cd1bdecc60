import { describe, expect, test } from "vitest";
import type { Fault, StatementFacts } from "../src/driver.ts";
import type { Circumstances, Decision } from "../src/session/retry.ts";
import { decide, MAX_LOSSES, MAX_REFUSALS, restAfter } from "../src/session/retry.ts";
import { facts } from "./fixtures.ts";

type Case = readonly [sentence: string, kind: Fault["kind"], circumstances: Partial<Circumstances>, decision: Decision];

function decideOn(kind: Fault["kind"], changes: Partial<Circumstances>): Decision {
  const intent = changes.intent ?? "write";
  return decide(
    { kind, code: undefined },
    {
      facts: facts({ intent }),
      intent,
      wasSent: true,
      inTransaction: false,
      isFirst: false,
      hasWritten: false,
      isPinned: false,
      onMirror: false,
      takesWrites: false,
      losses: 0,
      refusals: 0,
      conflictsLeft: 0,
      isRecorded: true,
      isOpen: false,
      ...changes,
    },
  );
}

const control = (transaction: StatementFacts["transaction"]): StatementFacts => facts({ transaction });
const commit: Partial<Circumstances> = { facts: control("commit"), inTransaction: true };
const read: Partial<Circumstances> = { intent: "read", facts: facts({ intent: "read" }) };

const first: Partial<Circumstances> = { isFirst: true };

/** A BEGIN and its first statement went out together. */
const firstOfTransaction: readonly Case[] = [
  ["a first statement that was lost with its BEGIN runs again: nothing of it was committed", "gone", first, "rerun"],
  ["so does one that was never sent", "gone", { ...first, wasSent: false }, "rerun"],
  ["so does one without an answer", "silent", first, "rerun"],
  [
    "so does one that was refused often, which says nothing of it",
    "gone",
    { ...first, refusals: MAX_REFUSALS },
    "rerun",
  ],
  [
    "one that was lost with every server it ran on is not sent to one more",
    "gone",
    { ...first, losses: MAX_LOSSES },
    "transaction-lost",
  ],
  ["one that a deposed primary refuses runs again on the next", "read-only", { ...first, onMirror: true }, "rerun"],
  ["so does one that a primary refuses that takes no writes now", "read-only", first, "rerun"],
  [
    "one that a primary refuses that takes writes again runs again",
    "read-only",
    { ...first, takesWrites: true },
    "rerun",
  ],
  [
    "but not twice: the application itself began it read-only",
    "read-only",
    { ...first, takesWrites: true, refusals: 1 },
    "surface",
  ],
  [
    "nor at all where transactions are not run again",
    "read-only",
    { ...first, takesWrites: true, isRecorded: false },
    "surface",
  ],
  ["one that the server undoes in a conflict runs again", "rolled-back", { ...first, conflictsLeft: 1 }, "conflict"],
  ["as long as it may", "rolled-back", first, "surface"],
  ["an error of its own is an error", "statement", first, "surface"],
];

/** The promise table, without ledger and replay. */
const lostConnection: readonly Case[] = [
  ["a read outside a transaction runs again", "gone", read, "rerun"],
  [
    "so does one that was refused often, which says nothing of it",
    "gone",
    { ...read, refusals: MAX_REFUSALS },
    "rerun",
  ],
  [
    "a read that was lost with every server it ran on is not sent to one more",
    "gone",
    { ...read, losses: MAX_LOSSES },
    "read-lost",
  ],
  [
    "a read of a session with state that cannot move has lost its session",
    "gone",
    { ...read, isPinned: true },
    "session-lost",
  ],
  ["a single write that was certainly not sent runs again", "gone", { wasSent: false }, "rerun"],
  ["a single write that was sent never runs again", "gone", {}, "commit-unknown"],
  ["a single write whose server cannot tell its outcome never runs again", "outcome-unknown", {}, "commit-unknown"],
  ["a single write without an answer in time never runs again", "silent", {}, "commit-unknown"],
  [
    "a single write of a session with state that cannot move is of unknown outcome all the same",
    "gone",
    { isPinned: true },
    "commit-unknown",
  ],
  ["a stream that has begun to answer is never restarted", "gone", { ...read, isOpen: true }, "stream-lost"],
  [
    "a stream of a session with state that cannot move is lost first of all",
    "gone",
    { ...read, isOpen: true, isPinned: true },
    "stream-lost",
  ],
  [
    "a stream inside a transaction has lost the transaction",
    "gone",
    { ...read, isOpen: true, inTransaction: true },
    "transaction-lost",
  ],
  ["a stream that may have written is of unknown outcome", "gone", { isOpen: true }, "commit-unknown"],
  [
    "a stream that a mirror breaks off is not restarted either",
    "rolled-back",
    { ...read, isOpen: true, onMirror: true },
    "surface",
  ],
  ["nor one that a mirror refuses in the middle", "read-only", { ...read, isOpen: true, onMirror: true }, "surface"],
  [
    "nor one that a conflict breaks off, although its transaction could run again",
    "rolled-back",
    { ...read, isOpen: true, inTransaction: true, conflictsLeft: 1 },
    "surface",
  ],
  [
    "nor one that a primary refuses which takes writes again",
    "read-only",
    { isOpen: true, takesWrites: true },
    "surface",
  ],
  ["nor one that a former primary does", "read-only", { ...read, isOpen: true }, "surface"],
  ["a BEGIN has no effect and runs again", "gone", { facts: control("begin") }, "rerun"],
  [
    "a statement inside a transaction has lost it, whatever it is",
    "gone",
    { inTransaction: true, hasWritten: true },
    "transaction-lost",
  ],
  [
    "a read inside a transaction has lost it: it never runs again alone",
    "gone",
    { ...read, inTransaction: true },
    "transaction-lost",
  ],
  [
    "a COMMIT that was certainly not sent has lost the transaction",
    "gone",
    { ...commit, wasSent: false, hasWritten: true },
    "transaction-lost",
  ],
  [
    "a COMMIT that was sent after a write is of unknown outcome",
    "gone",
    { ...commit, hasWritten: true },
    "commit-unknown",
  ],
  [
    "a COMMIT that was sent after reads only had nothing to commit",
    "gone",
    { ...commit, hasWritten: false },
    "transaction-lost",
  ],
  [
    "a PREPARE TRANSACTION counts as a COMMIT",
    "gone",
    { facts: control("prepare"), inTransaction: true, hasWritten: true },
    "commit-unknown",
  ],
  [
    "a COMMIT AND CHAIN counts as a COMMIT",
    "gone",
    { facts: control("chain"), inTransaction: true, hasWritten: true },
    "commit-unknown",
  ],
  [
    "what commits by itself, lost in a transaction that has written, is of unknown fate",
    "gone",
    { facts: facts({ implicitCommit: true, transactional: false }), inTransaction: true, hasWritten: true },
    "commit-unknown",
  ],
  [
    "and so is its own effect",
    "gone",
    { facts: facts({ implicitCommit: true, transactional: false }), inTransaction: true },
    "commit-unknown",
  ],
  [
    "a BEGIN that commits what only read leaves no doubt",
    "gone",
    { facts: facts({ implicitCommit: true, transaction: "begin" }), inTransaction: true },
    "transaction-lost",
  ],
  [
    "a string of several statements may hold a COMMIT",
    "gone",
    { facts: control("mixed"), inTransaction: true, hasWritten: true },
    "commit-unknown",
  ],
  [
    "a SAVEPOINT has lost its transaction",
    "gone",
    { facts: control("savepoint"), inTransaction: true, hasWritten: true },
    "transaction-lost",
  ],
  [
    "a ROLLBACK got what it asked for",
    "gone",
    { facts: control("rollback"), inTransaction: true, hasWritten: true },
    "gone-with-rollback",
  ],
  [
    "a ROLLBACK that was not sent got it as well",
    "gone",
    { facts: control("rollback"), inTransaction: true, wasSent: false },
    "gone-with-rollback",
  ],
];

const refusedStatement: readonly Case[] = [
  [
    "a statement that looked like a read and is none goes to the primary, and is remembered",
    "read-only",
    { ...read, onMirror: true },
    "misrouted",
  ],
  [
    "inside a transaction on a mirror the refusal is the application's to see",
    "read-only",
    { ...read, onMirror: true, inTransaction: true },
    "surface",
  ],
  ["on a session tied to a mirror it is as well", "read-only", { ...read, onMirror: true, isPinned: true }, "surface"],
  ["a write to a primary that is read-only now waits for one that is not", "read-only", {}, "rerun"],
  [
    "what looked like a read and was refused by a read-only primary waits as a write: as a read it would spin",
    "read-only",
    read,
    "misrouted",
  ],
  ["a primary that takes writes again gets it once more", "read-only", { takesWrites: true }, "rerun"],
  [
    "a refusal by a primary that takes writes is the application's own choice in the end",
    "read-only",
    { takesWrites: true, refusals: MAX_REFUSALS },
    "surface",
  ],
  [
    "a refusal inside a transaction by a primary that takes writes may be of a moment ago: the transaction begins anew",
    "read-only",
    { takesWrites: true, inTransaction: true },
    "begun-read-only",
  ],
  [
    "a refusal inside a transaction that began anew is the application's own choice",
    "read-only",
    { takesWrites: true, inTransaction: true, refusals: 1 },
    "surface",
  ],
  [
    "a statement that its own connection's past made fail inside a transaction has the transaction begin anew",
    "stale",
    { inTransaction: true },
    "stale",
  ],
  [
    "one that fails so again and again is handed on",
    "stale",
    { inTransaction: true, refusals: MAX_REFUSALS },
    "surface",
  ],
  [
    "a COMMIT refused by a primary that is read-only now has lost its transaction, which replay moves",
    "read-only",
    { ...commit, conflictsLeft: 1 },
    "transaction-lost",
  ],
  [
    "a transaction on a primary that became read-only is lost",
    "read-only",
    { inTransaction: true, hasWritten: true },
    "transaction-lost",
  ],
  ["a session with state that cannot move stays where it is", "read-only", { isPinned: true }, "surface"],
  [
    "a refusal by a primary that is read-only is not shown, however much was lost before: the deadline ends the waiting",
    "read-only",
    { losses: MAX_LOSSES, refusals: MAX_REFUSALS },
    "rerun",
  ],
  [
    "a refusal inside a transaction that was lost before may be of a moment ago all the same",
    "read-only",
    { takesWrites: true, inTransaction: true, losses: 1 },
    "begun-read-only",
  ],
  ["a server that is starting gets it later, or another one", "not-ready", {}, "rerun"],
  ["a server with too many connections as well", "overloaded", {}, "rerun"],
  ["a server that is gone as well", "refused", {}, "rerun"],
  ["a server that cannot be reached as well", "unreachable", {}, "rerun"],
  [
    "inside a transaction a refusal by the server itself means that it is lost",
    "not-ready",
    { inTransaction: true },
    "transaction-lost",
  ],
  ["on a session tied to its connection the session is lost", "not-ready", { isPinned: true }, "session-lost"],
];

const answers: readonly Case[] = [
  ["an ordinary error is the application's to see", "statement", {}, "surface"],
  ["a wrong password is, too", "configuration", {}, "surface"],
  ["a serialization failure on the primary is, too", "rolled-back", { inTransaction: true }, "surface"],
  [
    "with conflicts left a transaction that the server has undone is run again",
    "rolled-back",
    { inTransaction: true, hasWritten: true, conflictsLeft: 1 },
    "conflict",
  ],
  [
    "a COMMIT that the server has undone is, with its transaction",
    "rolled-back",
    { ...commit, hasWritten: true, conflictsLeft: 1 },
    "conflict",
  ],
  [
    "a transaction that is not recorded is the application's to run again",
    "rolled-back",
    { inTransaction: true, conflictsLeft: 1, isRecorded: false },
    "surface",
  ],
  ["a single write that the server has undone is run again as well", "rolled-back", { conflictsLeft: 1 }, "conflict"],
  [
    "a single write on a session with state that cannot move is, where it is",
    "rolled-back",
    { conflictsLeft: 1, isPinned: true },
    "conflict",
  ],
  [
    "a text that controls transactions itself may have committed a part of it",
    "rolled-back",
    { conflictsLeft: 1, facts: control("mixed") },
    "surface",
  ],
  ["so may a procedure", "rolled-back", { conflictsLeft: 1, facts: facts({ transactional: false }) }, "surface"],
  [
    "what leaves state behind that cannot move may have left it all the same",
    "rolled-back",
    { conflictsLeft: 1, facts: facts({ session: "pinned" }) },
    "surface",
  ],
  [
    "rows that were handed out are not handed out again",
    "rolled-back",
    { conflictsLeft: 1, facts: facts({ stream: true }) },
    "surface",
  ],
  [
    "a conflict with the replay on a mirror is no reason to fail: the read runs elsewhere",
    "rolled-back",
    { ...read, onMirror: true },
    "rerun",
  ],
  [
    "a conflict inside a transaction on a mirror is the application's to see",
    "rolled-back",
    { ...read, onMirror: true, inTransaction: true },
    "surface",
  ],
];

describe("when the connection was lost", () => {
  test.each([...firstOfTransaction, ...lostConnection])("%s", (_, kind, circumstances, decision) => {
    expect(decideOn(kind, circumstances)).toBe(decision);
  });
});

describe("when the server refused", () => {
  test.each(refusedStatement)("%s", (_, kind, circumstances, decision) => {
    expect(decideOn(kind, circumstances)).toBe(decision);
  });
});

describe("when the server answered", () => {
  test.each(answers)("%s", (_, kind, circumstances, decision) => {
    expect(decideOn(kind, circumstances)).toBe(decision);
  });
});

test("the first time a statement runs again at once, and rests the longer the more often it was lost, up to a bound", () => {
  expect([0, 1, 2, 3, 100].map(restAfter)).toEqual([0, 100, 400, 500, 500]);
});

describe("in all circumstances", () => {
  const flags = [false, true];
  const every = flags.flatMap((inTransaction) =>
    flags.flatMap((isPinned) =>
      flags.flatMap((onMirror) =>
        flags.flatMap((hasWritten) =>
          flags.flatMap((takesWrites) =>
            [0, 1, MAX_LOSSES].flatMap((losses) =>
              [0, 1].flatMap((conflictsLeft) =>
                flags.map((isRecorded) => ({
                  inTransaction,
                  isPinned,
                  onMirror,
                  hasWritten,
                  takesWrites,
                  losses,
                  refusals: losses,
                  conflictsLeft,
                  isRecorded,
                })),
              ),
            ),
          ),
        ),
      ),
    ),
  );

  test("a write that was sent and lost is never run again", () => {
    for (const kind of ["gone", "silent", "outcome-unknown"] as const) {
      for (const circumstances of every) expect(decideOn(kind, circumstances)).not.toBe("rerun");
    }
  });

  test("nothing inside a transaction is run again alone", () => {
    const kinds: readonly Fault["kind"][] = [
      "gone",
      "silent",
      "outcome-unknown",
      "read-only",
      "rolled-back",
      "not-ready",
    ];
    for (const kind of kinds) {
      for (const circumstances of every.filter(({ inTransaction }) => inTransaction)) {
        expect(["rerun", "misrouted"]).not.toContain(decideOn(kind, circumstances));
      }
    }
  });

  test("without conflicts left nothing is run again for one, and only what the server has undone ever is", () => {
    for (const kind of ["gone", "silent", "outcome-unknown", "read-only", "rolled-back", "not-ready"] as const) {
      for (const circumstances of every) {
        const decision = decideOn(kind, circumstances);
        if (decision !== "conflict") continue;
        expect(circumstances.conflictsLeft).toBeGreaterThan(0);
        expect(kind).toBe("rolled-back");
        expect(circumstances.onMirror).toBe(false);
        if (circumstances.inTransaction) expect(circumstances.isRecorded).toBe(true);
      }
    }
  });

  test("an end to running again is in sight", () => {
    for (const kind of ["gone", "silent", "read-only"] as const) {
      for (const intent of ["read", "write"] as const) {
        expect(decideOn(kind, { intent, losses: MAX_LOSSES, refusals: MAX_REFUSALS, takesWrites: true })).not.toBe(
          "rerun",
        );
      }
    }
  });
});
