import type { StatementFacts } from "@mirrorpool/core";

/**
 * The whole of the simulated SQL, one statement a line:
 *
 *     READ                 all committed tokens, and those of the own transaction
 *     LOCKREAD             looks like a read, and a mirror refuses it (SELECT … FOR UPDATE)
 *     WRITE token          adds a token
 *     BATCH token          BEGIN; WRITE token; COMMIT in one string
 *     BEGIN [READ ONLY]    COMMIT    ROLLBACK
 *     LOCK name            waits for a lock that the transaction then holds
 *     SET name             session state            LISTEN name    session state that cannot move
 *     RESTATE name,name    sets exactly these, and undoes all others
 *     FAIL                 a constraint is violated  DEADLOCK       the server undoes the transaction
 *     CRASH                a read that ends the backend it runs on
 *     TOKENCOMMIT key      writes a key of the ledger and commits        SETTLE key    asks for its fate, and fences it
 *     FIND key,key         which of them have committed                  PRUNE         removes old keys
 *     END session          ends another session                          PROBE         what the monitor asks
 *
 * Each may end with `FOR n`: it takes n milliseconds.
 */
export interface Command {
  readonly verb: Verb;
  /** Token, lock or setting. */
  readonly name: string;
  readonly isReadOnly: boolean;
  /** How long it takes; undefined for as long as such a statement takes. */
  readonly forMs: number | undefined;
}

type Verb =
  | "READ"
  | "LOCKREAD"
  | "WRITE"
  | "BATCH"
  | "BEGIN"
  | "COMMIT"
  | "ROLLBACK"
  | "LOCK"
  | "SET"
  | "RESTATE"
  | "LISTEN"
  | "FAIL"
  | "DEADLOCK"
  | "CRASH"
  | "TOKENCOMMIT"
  | "SETTLE"
  | "FIND"
  | "PRUNE"
  | "END"
  | "PROBE";

export function parse(text: string): Command {
  const words = text.split(" ");
  const duration = words.indexOf("FOR");
  return {
    verb: words[0] as Verb, // the simulation writes all statements itself
    name: words[1] === "FOR" ? "" : (words[1] ?? ""),
    isReadOnly: text.includes("READ ONLY"),
    forMs: duration < 0 ? undefined : Number(words[duration + 1]),
  };
}

type Traits = Partial<Omit<StatementFacts, "command">>;

const traits: Readonly<Record<Verb, Traits>> = {
  READ: { intent: "read" },
  LOCKREAD: { intent: "read" },
  WRITE: { leavesNothing: true },
  BATCH: { transaction: "mixed", transactional: false },
  BEGIN: { transaction: "begin", canWait: true },
  COMMIT: { transaction: "commit" },
  ROLLBACK: { transaction: "rollback" },
  LOCK: {},
  SET: { session: "setting" },
  RESTATE: { session: "setting" },
  LISTEN: { session: "pinned" },
  FAIL: {},
  DEADLOCK: {},
  CRASH: { intent: "read" },
  TOKENCOMMIT: { transaction: "mixed", multiple: true },
  SETTLE: {},
  FIND: { intent: "read" },
  PRUNE: {},
  END: {},
  PROBE: { intent: "read" },
};

const facts = new Map<Verb, StatementFacts>(
  Object.entries(traits).map(([verb, own]) => [
    verb as Verb,
    {
      intent: "write",
      transaction: "none",
      session: "none",
      transactional: true,
      multiple: false,
      stream: false,
      command: verb,
      ...own,
    },
  ]),
);

/** What the simulated driver tells the core of a statement. */
export function inspect(text: string): StatementFacts {
  return facts.get(parse(text).verb) as StatementFacts;
}
