import type { SessionState, SessionStates } from "@mirrorpool/core";
import { parse } from "./language.ts";

/** The names that a session has set, in the order of the alphabet. */
function setNames(state: SessionState | undefined): readonly string[] {
  return state === undefined ? [] : state.key.split(",");
}

/** Session state is a set of names. */
export const states: SessionStates = {
  after: (state, { text }) => {
    const names = new Set([...setNames(state), parse(text).name]);
    return { key: [...names].sort().join(","), isForPrimary: false };
  },
  rolledBack: (_, before) => before,
  change: (_, to) => [{ text: `RESTATE ${to?.key ?? ""}`.trimEnd() }],
};
