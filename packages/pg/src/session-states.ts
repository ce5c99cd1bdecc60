import type { SessionState, SessionStates, Statement } from "@mirrorpool/core";
import { type SessionChange, sessionChanges } from "@mirrorpool/sql";
import pg from "pg";

/** What brings one part of the state about, in the order in which it came about. */
interface Entry {
  readonly kind: "setting" | "prepared";
  /** What it sets, or prepares; `all` settings for RESET ALL. */
  readonly names: readonly string[] | "all";
  readonly isReset: boolean;
  readonly text: string;
}

interface PgState extends SessionState {
  readonly entries: readonly Entry[];
}

/** Beyond these a session stays on its connection: nobody sets as much who means to be moved. */
const MAX_ENTRIES = 200;
const MAX_CHARACTERS = 200_000;

/** Who one is: it decides what may be set, and no RESET ALL undoes it (GUC_NO_RESET_ALL). */
const IDENTITY: ReadonlySet<string> = new Set(["role", "session_authorization"]);

/**
 * Settings and prepared statements of PostgreSQL, carried as the statements that made them: one for each setting, however often
 * it is set. What their order means is kept: a setting may need the role before it, and a prepared statement the search path.
 */
export const sessionStates: SessionStates = {
  after: (state, { text, values = [] }) => {
    const changes = sessionChanges(text, "postgres", values, pg.escapeLiteral);
    if (changes === undefined) return "pinned";
    let entries: readonly Entry[] | undefined = entriesOf(state);
    for (const change of changes) {
      entries = apply(entries, change);
      if (entries === undefined) return "pinned";
    }
    return toState(entries);
  },

  // PostgreSQL's rollback undoes settings, and leaves prepared statements as they are
  rolledBack: (state, before) => {
    const [settings, prepared] = parts(state);
    const [settingsBefore, preparedBefore] = parts(before);
    if (prepared === preparedBefore) return before;
    return settings === settingsBefore ? state : "pinned";
  },

  change: (from, to) => {
    const has = entriesOf(from);
    const wants = entriesOf(to);
    const isExtension = has.every(({ text }, index) => text === wants[index]?.text);
    const texts = isExtension ? [] : undo(has);
    texts.push(...wants.slice(isExtension ? has.length : 0).map(({ text }) => text));
    // in one text the backslashes of all would be read as they are before the first has changed that
    const isSplit =
      [...has, ...wants].some(sets("standard_conforming_strings")) && texts.some((text) => text.includes("\\"));
    const statements = isSplit ? texts : texts.length === 0 ? [] : [texts.join(";\n")];
    return statements.map((text): Statement => ({ text }));
  },
};

function entriesOf(state: SessionState | undefined): readonly Entry[] {
  return state === undefined ? [] : (state as PgState).entries; // the only states that this driver makes
}

/** Texts of the settings, and of the prepared statements. */
function parts(state: SessionState | undefined): readonly [settings: string, prepared: string] {
  const textsOf = (kind: Entry["kind"]): string =>
    entriesOf(state)
      .filter((entry) => entry.kind === kind)
      .map(({ text }) => text)
      .join(";\n");
  return [textsOf("setting"), textsOf("prepared")];
}

function toState(entries: readonly Entry[]): PgState | undefined | "pinned" {
  if (entries.length === 0) return undefined;
  const key = entries.map(({ text }) => text).join(";\n");
  if (entries.length > MAX_ENTRIES || key.length > MAX_CHARACTERS) return "pinned";
  // a standby refuses serializable transactions (0A000)
  const isForPrimary = entries.some(sets("default_transaction_isolation"));
  return Object.freeze({ key, isForPrimary, entries });
}

const sets =
  (name: string) =>
  ({ kind, names }: Entry): boolean =>
    kind === "setting" && names !== "all" && names.includes(name);

function apply(entries: readonly Entry[], change: SessionChange): readonly Entry[] | undefined {
  switch (change.type) {
    case "set":
    case "reset": {
      const { names, text } = change;
      return pruned([...entries, { kind: "setting", names, isReset: change.type === "reset", text }]);
    }
    case "reset-all":
      return pruned([...entries, { kind: "setting", names: "all", isReset: true, text: change.text }]);
    case "prepare":
      return [...entries, { kind: "prepared", names: [change.name], isReset: false, text: change.text }];
    case "deallocate": {
      const rest = entries.filter(({ kind, names }) => kind !== "prepared" || names[0] !== change.name);
      // one that `pg` has prepared by name, and believes to be there
      return rest.length === entries.length ? undefined : pruned(rest);
    }
    case "deallocate-all":
      return pruned(entries.filter(({ kind }) => kind !== "prepared"));
    case "discard-all":
      return [];
    default:
      return change satisfies never;
  }
}

/** Without the entries that a later one makes void. */
function pruned(entries: readonly Entry[]): readonly Entry[] {
  return withoutIdleResets(withoutOverridden(entries));
}

function withoutOverridden(entries: readonly Entry[]): readonly Entry[] {
  const kept: Entry[] = [];
  let overridden = new Set<string>();
  let isAllReset = false;
  for (const entry of entries.toReversed()) {
    const { kind, names } = entry;
    if (kind === "prepared") {
      // it was made under the settings before it, whatever they are now
      overridden = new Set();
      isAllReset = false;
      kept.push(entry);
      continue;
    }
    const isIdentity = isOfIdentity(entry);
    const isVoid =
      names === "all" ? isAllReset : names.every((name) => overridden.has(name) || (isAllReset && !isIdentity));
    const next = kept.at(-1);
    // somebody's right to set what follows may come from who he was then
    if (isVoid && (!isIdentity || (next !== undefined && isOfIdentity(next)))) continue;
    kept.push(entry);
    if (names === "all") isAllReset = true;
    else for (const name of names) overridden.add(name);
  }
  return kept.reverse();
}

/** A reset of what nothing before has set. */
function withoutIdleResets(entries: readonly Entry[]): readonly Entry[] {
  const touched = new Set<string>();
  let isSet = false;
  return entries.filter((entry) => {
    const { kind, names, isReset } = entry;
    if (kind === "prepared") return true;
    if (isReset && (names === "all" ? !isSet : !names.some((name) => touched.has(name)))) return false;
    if (names !== "all") for (const name of names) touched.add(name);
    if (!isOfIdentity(entry)) isSet = true;
    return true;
  });
}

function isOfIdentity({ names }: Entry): boolean {
  return names !== "all" && names.some((name) => IDENTITY.has(name));
}

/** Back to what the connection was opened with. */
function undo(entries: readonly Entry[]): string[] {
  const texts = entries.flatMap(({ kind, names }) =>
    kind === "prepared" ? [`DEALLOCATE ${pg.escapeIdentifier(names[0] ?? "")}`] : [],
  );
  const settings = entries.filter(({ kind }) => kind === "setting");
  if (settings.some(isOfIdentity)) texts.push("RESET SESSION AUTHORIZATION", "RESET ROLE");
  if (!settings.every(isOfIdentity)) texts.push("RESET ALL");
  return texts;
}
