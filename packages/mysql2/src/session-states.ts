import type { SessionState, SessionStates, Statement } from "@mirrorpool/core";
import { type SessionChange, sessionChanges } from "@mirrorpool/sql";
import mysql from "mysql2";
import { ownStatement } from "./own.ts";

/** What brings one part of the state about, in the order in which it came about. */
interface Entry {
  readonly kind: "setting" | "prepared";
  /** What it sets, or prepares. */
  readonly names: readonly string[];
  readonly text: string;
  /** It is made from what was set before. */
  readonly isRelative: boolean;
  /** It is over once a transaction has begun. */
  readonly isForNext: boolean;
}

interface MysqlState extends SessionState {
  readonly entries: readonly Entry[];
}

/** Beyond these a session stays on its connection: nobody sets as much who means to be moved. */
const MAX_ENTRIES = 200;
const MAX_CHARACTERS = 200_000;

/**
 * Settings, user variables and prepared statements of MariaDB and MySQL, carried as the statements that made them: one for each
 * setting, however often it is set. A connection is cleared by COM_RESET_CONNECTION.
 */
export const sessionStates: SessionStates = {
  after: (state, { text, values = [] }) => {
    const changes = sessionChanges(text, "mysql", values, (value) => mysql.escape(value));
    if (changes === undefined) return "pinned";
    let entries: readonly Entry[] | undefined = entriesOf(state);
    for (const change of changes) {
      entries = apply(entries, change);
      if (entries === undefined) return "pinned";
    }
    return toState(entries);
  },

  // no rollback undoes what was set
  rolledBack: (state) => state,

  begun: (state) => {
    const { entries } = state as MysqlState; // the only states that this driver makes
    return entries.some(({ isForNext }) => isForNext)
      ? (toState(entries.filter(({ isForNext }) => !isForNext)) as MysqlState | undefined) // fewer than there were
      : state;
  },

  change: (from, to) => {
    const has = entriesOf(from);
    const wants = entriesOf(to);
    const isExtension = has.every(({ text }, index) => text === wants[index]?.text);
    const texts = wants.slice(isExtension ? has.length : 0).map(({ text }) => ownStatement(text, [], {}));
    return isExtension ? texts : [reset(has), ...texts];
  },
};

/** The session as it was opened, but in the database and with the characters of that time: a reset leaves the one and loses the other. */
function reset(has: readonly Entry[]): Statement {
  const hasMoved = has.some(({ names }) => names.includes("database"));
  return ownStatement("SELECT 1", [], { isReset: true, hasMoved });
}

function entriesOf(state: SessionState | undefined): readonly Entry[] {
  return state === undefined ? [] : (state as MysqlState).entries; // the only states that this driver makes
}

function toState(entries: readonly Entry[]): MysqlState | undefined | "pinned" {
  if (entries.length === 0) return undefined;
  const key = entries.map(({ text }) => text).join(";\n");
  if (entries.length > MAX_ENTRIES || key.length > MAX_CHARACTERS) return "pinned";
  return Object.freeze({ key, isForPrimary: false, entries });
}

function apply(entries: readonly Entry[], change: SessionChange): readonly Entry[] | undefined {
  switch (change.type) {
    case "set":
    case "reset": {
      const { names, text } = change;
      const isRelative = change.type === "set" && change.isRelative === true;
      const isForNext = change.type === "set" && change.isForNext === true;
      return withoutOverridden([...entries, { kind: "setting", names, text, isRelative, isForNext }]);
    }
    case "prepare": {
      // the same name again takes the place of what it had
      const rest = entries.filter(({ kind, names }) => kind !== "prepared" || names[0] !== change.name);
      const { name, text } = change;
      return [...rest, { kind: "prepared", names: [name], text, isRelative: false, isForNext: false }];
    }
    case "deallocate": {
      const rest = entries.filter(({ kind, names }) => kind !== "prepared" || names[0] !== change.name);
      return rest.length === entries.length ? undefined : withoutOverridden(rest);
    }
    // there are no such statements here
    case "reset-all":
    case "deallocate-all":
    case "discard-all":
      return undefined;
    default:
      return change satisfies never;
  }
}

/** Without what is set again later, unless something in between was made from it. */
function withoutOverridden(entries: readonly Entry[]): readonly Entry[] {
  const kept: Entry[] = [];
  let overridden = new Set<string>();
  for (const entry of entries.toReversed()) {
    const { kind, names, isRelative, isForNext } = entry;
    // a setting for the next transaction hides the lasting one, and does not end it
    const isVoid = kind === "setting" && names.every((name) => overridden.has(isForNext ? `next ${name}` : name));
    if (isVoid) continue;
    kept.push(entry);
    if (kind === "prepared" || isRelative) overridden = new Set();
    else for (const name of names) overridden.add(isForNext ? `next ${name}` : name);
  }
  return kept.reverse();
}
