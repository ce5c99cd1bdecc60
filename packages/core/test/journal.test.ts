import { describe, expect, test } from "vitest";
import type { SessionStates, StatementFacts } from "../src/driver.ts";
import { Journal, type Trace } from "../src/session/journal.ts";
import { facts } from "./fixtures.ts";

/** The state is what was set, one word after the other; `prepare:` words outlive a rollback. */
const states: SessionStates = {
  after: (state, { text }) => {
    if (text === "too much") return "pinned";
    if (text === "reset") return undefined;
    return toState([...words(state?.key), text]);
  },
  rolledBack: (state, before) => {
    const prepared = words(state?.key).filter(
      (word) => word.startsWith("prepare:") && !words(before?.key).includes(word),
    );
    return toState([...words(before?.key), ...prepared]);
  },
  change: () => [],
};

function words(key: string | undefined): string[] {
  return key === undefined ? [] : key.split(" ");
}

function toState(key: readonly string[]): { key: string; isForPrimary: boolean } | undefined {
  return key.length === 0 ? undefined : { key: key.join(" "), isForPrimary: false };
}

/** One answer of the server: the statement's text, what it is, and whether a transaction is open after it. */
type Step = readonly [text: string, changes: Partial<StatementFacts>, isOpen: boolean, command?: string | undefined];

const BEGIN: Step = ["begin", { transaction: "begin" }, true];
const COMMIT: Step = ["commit", { transaction: "commit" }, false, "COMMIT"];
const ROLLBACK: Step = ["rollback", { transaction: "rollback" }, false, "ROLLBACK"];
const set = (text: string, isOpen: boolean): Step => [text, { session: "setting" }, isOpen];
const prepare = (name: string, isOpen: boolean): Step => [`prepare:${name}`, { session: "prepared" }, isOpen];
const savepoint = (transaction: StatementFacts["transaction"], name: string): Step => [
  transaction,
  { transaction, savepoint: name },
  true,
];

function run(steps: readonly Step[], journal: Journal = new Journal(states)): { journal: Journal; traces: Set<Trace> } {
  const traces = new Set<Trace>();
  for (const step of steps) {
    const [text, changes, isOpen] = step;
    traces.add(journal.note({ text }, facts(changes), step.length === 4 ? step[3] : "OK", isOpen));
  }
  return { journal, traces };
}

const cases: readonly (readonly [sentence: string, steps: readonly Step[], state: string | undefined])[] = [
  ["what is set outside a transaction stays", [set("a", false), set("b", false)], "a b"],
  ["what fails sets nothing", [set("a", false), ["b", { session: "setting" }, false, undefined]], "a"],
  ["what is reset is gone", [set("a", false), set("reset", false)], undefined],
  ["what a transaction sets stays with its COMMIT", [BEGIN, set("a", true), COMMIT], "a"],
  ["and goes with its ROLLBACK", [set("a", false), BEGIN, set("b", true), ROLLBACK], "a"],
  [
    "and with a COMMIT that was answered with a rollback",
    [BEGIN, set("a", true), ["commit", { transaction: "commit" }, false, "ROLLBACK"]],
    undefined,
  ],
  [
    "and with a COMMIT that failed",
    [BEGIN, set("a", true), ["commit", { transaction: "commit" }, false, undefined]],
    undefined,
  ],
  [
    "and stays with PREPARE TRANSACTION",
    [BEGIN, set("a", true), ["p", { transaction: "prepare" }, false, "PREPARE"]],
    "a",
  ],
  [
    "COMMIT AND CHAIN keeps it, whatever becomes of the next transaction",
    [BEGIN, set("a", true), ["chain", { transaction: "chain" }, true, "COMMIT"], set("b", true), ROLLBACK],
    "a",
  ],
  [
    "ROLLBACK AND CHAIN does not",
    [BEGIN, set("a", true), ["chain", { transaction: "chain" }, true, "ROLLBACK"], set("b", true), COMMIT],
    "b",
  ],
  [
    "a rollback to a savepoint undoes what was set since, as often as it likes",
    [
      BEGIN,
      set("a", true),
      savepoint("savepoint", "one"),
      set("b", true),
      savepoint("savepoint", "two"),
      set("c", true),
      savepoint("rollback-to", "one"),
      set("d", true),
      savepoint("rollback-to", "one"),
      set("e", true),
      COMMIT,
    ],
    "a e",
  ],
  [
    "of two savepoints of one name the last counts, until it is released",
    [
      BEGIN,
      savepoint("savepoint", "one"),
      set("a", true),
      savepoint("savepoint", "one"),
      set("b", true),
      savepoint("release", "one"),
      savepoint("rollback-to", "one"),
      COMMIT,
    ],
    undefined,
  ],
  ["a prepared statement outlives a rollback", [BEGIN, prepare("p", true), ROLLBACK], "prepare:p"],
];

test.each(cases)("%s", (_, steps, state) => {
  const { journal, traces } = run(steps);
  expect(journal.state?.key).toBe(state);
  expect([...traces]).toEqual(["carried"]);
});

const traced: readonly (readonly [sentence: string, steps: readonly Step[], trace: Trace])[] = [
  ["what the driver cannot carry", [set("too much", false)], "pinned"],
  ["what cannot move", [["listen", { session: "pinned" }, false]], "pinned"],
  [
    "what is prepared under settings of the transaction alone",
    [BEGIN, ["local", { session: "local" }, true], prepare("p", true)],
    "pinned",
  ],
  [
    "a text that may have ended the transaction in which something was set",
    [BEGIN, set("a", true), ["commit; x", { transaction: "mixed" }, false, "SELECT"]],
    "pinned",
  ],
  [
    "a rollback to a savepoint that nobody has seen, after something was set",
    [BEGIN, set("a", true), savepoint("rollback-to", "one")],
    "pinned",
  ],
];

test.each(traced)("ties the session to its connection: %s", (_, steps, trace) => {
  expect([...run(steps).traces].at(-1)).toBe(trace);
});

test("what fails and cannot move is left to nobody", () => {
  expect([...run([["lock", { session: "pinned" }, false, undefined]]).traces]).toEqual(["tainted"]);
  const typo = { session: "pinned", transaction: "mixed", command: "UNKNOWN" } as const;
  expect([...run([["typo", typo, false, undefined]]).traces]).toEqual(["carried"]);
});

test("without a driver that carries state every setting ties the session", () => {
  expect([...run([set("a", false)], new Journal(undefined)).traces]).toEqual(["pinned"]);
});

describe("the state at BEGIN", () => {
  const { journal } = run([set("a", false), BEGIN, set("b", true)]);

  test("is what a replay starts from", () => {
    expect([journal.stateAtBegin?.key, journal.state?.key, journal.isPending]).toEqual(["a", "a b", true]);
  });

  test("is what is left when the transaction goes with its connection", () => {
    journal.abandon();
    expect([journal.state?.key, journal.isPending]).toEqual(["a", false]);
  });

  test("what was prepared in it is kept, since the server would have kept it", () => {
    const { journal } = run([set("a", false), BEGIN, prepare("p", true)]);
    expect(journal.isPending).toBe(false);
    journal.abandon();
    expect(journal.state?.key).toBe("a prepare:p");
  });

  test("a session that is as new has set nothing", () => {
    journal.clear();
    expect([journal.state, journal.stateAtBegin]).toEqual([undefined, undefined]);
  });
});

test("a savepoint more costs no memory for ever", () => {
  const journal = new Journal(states);
  run([BEGIN, set("a", true)], journal);
  for (let index = 0; index < 5000; index += 1) run([savepoint("savepoint", `s${index}`)], journal);
  expect([...run([savepoint("rollback-to", "s4999")], journal).traces]).toEqual(["carried"]);
});

describe("what is set for the next transaction alone", () => {
  /** A `next:` word is over once a transaction has begun. */
  const withNext: SessionStates = {
    ...states,
    begun: (state) => {
      const rest = words(state.key).filter((word) => !word.startsWith("next:"));
      return rest.length === words(state.key).length ? state : toState(rest);
    },
  };
  const given = [set("a", false), set("next:b", false)];

  test("is there when it begins, and not after it", () => {
    const { journal } = run([...given, BEGIN], new Journal(withNext));
    expect(journal.stateAtBegin?.key).toBe("a next:b");
    expect(journal.state?.key).toBe("a");
  });

  test("may be used up by a single statement, and its connection serves nobody else", () => {
    const { journal, traces } = run([...given, ["select", {}, false]], new Journal(withNext));
    expect(journal.state?.key).toBe("a");
    expect(traces).toContain("tainted");
  });
});

test("a BEGIN that commits the transaction before it begins a new one", () => {
  const again: Step = ["begin", { transaction: "begin", implicitCommit: true }, true];
  const { journal } = run([BEGIN, set("a", true), again]);
  expect(journal.stateAtBegin?.key).toBe("a");
  expect(run([set("b", true), ROLLBACK], journal).journal.state?.key).toBe("a");
});
