import type { SessionState } from "@mirrorpool/core";
import { expect, test } from "vitest";
import { sessionStates } from "../src/session-states.ts";

type State = SessionState | undefined | "pinned";

/** The state that a session has after these statements. */
function after(...texts: readonly string[]): State {
  let state: State;
  for (const text of texts) {
    if (state === "pinned") return state;
    state = sessionStates.after(state, { text });
  }
  return state;
}

function carried(...texts: readonly string[]): SessionState | undefined {
  const state = after(...texts);
  if (state === "pinned") throw new Error("it cannot be carried");
  return state;
}

function change(from: SessionState | undefined, to: SessionState | undefined): string[] {
  return sessionStates.change(from, to).map(({ text }) => text);
}

const kept: readonly (readonly [sentence: string, given: readonly string[], kept: readonly string[]])[] = [
  ["the last value of a setting counts", ["SET a = 1", "SET b = 1", "SET a = 2"], ["SET b = 1", "SET a = 2"]],
  ["a reset setting is as if it had not been set", ["SET a = 1", "SET b = 1", "RESET a"], ["SET b = 1"]],
  ["so is one that is set to its default", ["SET a = 1", "SET a TO DEFAULT"], []],
  ["RESET ALL leaves nothing", ["SET a = 1", "SET b = 1", "RESET ALL"], []],
  ["RESET ALL leaves who one is", ["SET ROLE r", "SET a = 1", "RESET ALL"], ["SET ROLE r"]],
  ["DISCARD ALL leaves nothing at all", ["SET ROLE r", "PREPARE p AS SELECT 1", "DISCARD ALL"], []],
  ["RESET ROLE leaves nothing", ["SET ROLE r", "RESET ROLE"], []],
  [
    "whoever becomes another user has no role",
    ["SET ROLE r", "SET SESSION AUTHORIZATION u"],
    ["SET SESSION AUTHORIZATION u"],
  ],
  [
    "a role on top of another user stays",
    ["SET SESSION AUTHORIZATION u", "SET ROLE r"],
    ["SET SESSION AUTHORIZATION u", "SET ROLE r"],
  ],
  [
    "a role under which something was set is kept for the right to set it",
    ["SET ROLE r", "SET a = 1", "RESET ROLE"],
    ["SET ROLE r", "SET a = 1", "RESET ROLE"],
  ],
  [
    "roles and settings in turns take no more room",
    ["SET ROLE r", "SET a = 1", "RESET ROLE", "SET ROLE s", "SET a = 2", "RESET ROLE"],
    ["SET ROLE s", "SET a = 2", "RESET ROLE"],
  ],
  [
    "what was set before a statement was prepared is kept for it",
    ["SET search_path = a", "PREPARE p AS SELECT 1", "SET search_path = b"],
    ["SET search_path = a", "PREPARE p AS SELECT 1", "SET search_path = b"],
  ],
  [
    "until that is dropped",
    ["SET search_path = a", "PREPARE p AS SELECT 1", "SET search_path = b", "DEALLOCATE p"],
    ["SET search_path = b"],
  ],
  [
    "a dropped statement is gone",
    ["PREPARE p AS SELECT 1", "PREPARE q AS SELECT 2", "DEALLOCATE p"],
    ["PREPARE q AS SELECT 2"],
  ],
  ["all are", ["PREPARE p AS SELECT 1", "SET a = 1", "DEALLOCATE ALL"], ["SET a = 1"]],
  [
    "modes of transactions are settings",
    ["SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SET default_transaction_read_only = off"],
    ["SET default_transaction_read_only = off"],
  ],
];

test.each(kept)("%s", (_, given, expected) => {
  expect(change(undefined, carried(...given))).toEqual(expected.length === 0 ? [] : [expected.join(";\n")]);
});

test("a setting that is set a million times takes the room of one", () => {
  let state: State;
  for (let index = 0; index < 10_000; index += 1) {
    if (state === "pinned") break;
    state = sessionStates.after(state, { text: "SELECT set_config('app.user', $1, false)", values: [index] });
  }
  expect(state).toMatchObject({ key: "SELECT pg_catalog.set_config('app.user', '9999', false)" });
});

test("beyond its bounds a session stays on its connection", () => {
  expect(after(...Array.from({ length: 200 }, (_, index) => `SET a.b${index} = 1`))).not.toBe("pinned");
  expect(after(...Array.from({ length: 201 }, (_, index) => `SET a.b${index} = 1`))).toBe("pinned");
  expect(after(`SET a.b = '${"x".repeat(200_000)}'`)).toBe("pinned");
});

test.each([
  ["a statement that the library has prepared", "DEALLOCATE p"],
  ["a row of random numbers", "SET seed = 0.1"],
  ["what cannot be read", "SET a = 'x\\'"],
])("what cannot be carried ties the session to its connection: %s", (_, text) => {
  expect(after(text)).toBe("pinned");
});

test("a value is written so that nothing in it can end its literal", () => {
  const state = sessionStates.after(undefined, {
    text: "SELECT set_config('a.b', $1, false)",
    values: ["'; DROP TABLE account; -- \\"],
  });
  expect(state).toMatchObject({
    key: "SELECT pg_catalog.set_config('a.b',  E'''; DROP TABLE account; -- \\\\', false)",
  });
});

test("one state becomes another in one round trip", () => {
  const from = carried("SET ROLE r", "SET a = 1", 'PREPARE "P" AS SELECT 1');
  expect(change(from, carried("SET b = 1", "SET c = 1"))).toEqual([
    'DEALLOCATE "P";\nRESET SESSION AUTHORIZATION;\nRESET ROLE;\nRESET ALL;\nSET b = 1;\nSET c = 1',
  ]);
  expect(change(carried("SET a = 1"), undefined)).toEqual(["RESET ALL"]);
});

test("what is only more is only added", () => {
  expect(change(carried("SET a = 1"), carried("SET a = 1", "SET b = 1"))).toEqual(["SET b = 1"]);
});

test("backslashes are read one statement after the other where a setting says how", () => {
  const state = carried("SET standard_conforming_strings = off", "SET a.b = 'x\\n'");
  expect(change(undefined, state)).toHaveLength(2);
  expect(change(undefined, carried("SET standard_conforming_strings = on", "SET a.b = 'x'"))).toHaveLength(1);
});

test("a rollback undoes settings, and leaves what was prepared", () => {
  const before = carried("SET a = 1");
  expect(sessionStates.rolledBack(carried("SET a = 2"), before)).toBe(before);
  const prepared = carried("SET a = 1", "PREPARE p AS SELECT 1");
  expect(sessionStates.rolledBack(prepared, before)).toBe(prepared);
});

test("what was prepared under settings that were rolled back cannot be made again", () => {
  expect(sessionStates.rolledBack(carried("SET search_path = b", "PREPARE p AS SELECT 1"), undefined)).toBe("pinned");
});

test("reads of a session with an isolation level of its own are the primary's", () => {
  expect(carried("SET a = 1")?.isForPrimary).toBe(false);
  expect(carried("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE")?.isForPrimary).toBe(true);
});
