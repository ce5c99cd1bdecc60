import type { SessionEffect, TransactionEffect } from "../facts.ts";
import { isWord, type Token } from "../token.ts";
import { definitionName } from "./definitions.ts";
import { outline } from "./outline.ts";

/** What a command does by its kind, whatever its details. */
export interface Command {
  /** Its keywords, upper case. */
  readonly name: string;
  readonly transaction: TransactionEffect;
  readonly session: SessionEffect;
  readonly transactional: boolean;
  readonly stream: boolean;
}

/** A row of the table: the first row of a keyword whose `when` holds says what differs from a plain statement. */
interface Row extends Partial<Command> {
  readonly when?: Condition;
}

type Condition = (tokens: readonly Token[]) => boolean;

/** Looks up what kind of command a statement is. Unknown ones may do anything. */
export function commandOf(tokens: readonly Token[]): Command {
  const first = tokens[0];
  const keyword = first?.kind === "word" ? first.text : "";
  const row = COMMANDS.get(keyword)?.find(({ when }) => when === undefined || when(tokens));
  if (row === undefined) return UNKNOWN;
  return {
    name: row.name ?? definitionName(tokens) ?? keyword.toUpperCase(),
    transaction: row.transaction ?? "none",
    session: row.session ?? "none",
    transactional: row.transactional ?? true,
    stream: row.stream ?? false,
  };
}

const UNKNOWN: Command = {
  name: "UNKNOWN",
  transaction: "mixed",
  session: "pinned",
  transactional: false,
  stream: false,
};

function starts(pattern: RegExp): Condition {
  return (tokens) => pattern.test(outline(tokens));
}

function mentions(...words: readonly string[]): Condition {
  return (tokens) => tokens.some((token) => isWord(token, ...words));
}

const plain: readonly Row[] = [{}];
const pinned: readonly Row[] = [{ session: "pinned" }];
const cursor: readonly Row[] = [{ stream: true }];
/** Refused inside a transaction block, always or in some forms, or free to end the transaction itself. */
const alone: readonly Row[] = [{ transactional: false }];

function controls(transaction: TransactionEffect): Row {
  return { transaction, transactional: false };
}

function ends(transaction: "commit" | "rollback", name: string): readonly Row[] {
  return [
    { when: starts(/^\w+ prepared '' /), name: `${name} PREPARED`, transactional: false },
    { when: starts(/^\w+ (?:work |transaction )?and chain /), ...controls("chain"), name },
    { ...controls(transaction), name },
  ];
}

const toSavepoint: Row = {
  when: starts(/^rollback (?:work |transaction )?to /),
  ...controls("rollback-to"),
  name: "ROLLBACK TO SAVEPOINT",
};

/** PostgreSQL 18, chapter "SQL Commands". */
const COMMANDS: ReadonlyMap<string, readonly Row[]> = new Map<string, readonly Row[]>([
  ["select", plain],
  ["values", plain],
  ["table", plain],
  ["with", plain],
  ["insert", plain],
  ["update", plain],
  ["delete", plain],
  ["merge", plain],
  ["explain", plain],
  ["show", plain],
  ["execute", plain],
  ["truncate", plain],
  ["lock", plain],
  ["analyze", plain],
  ["analyse", plain],
  ["checkpoint", plain],
  ["comment", plain],
  ["grant", plain],
  ["revoke", plain],
  ["reassign", plain],
  ["refresh", [{ name: "REFRESH MATERIALIZED VIEW" }]],
  ["import", [{ name: "IMPORT FOREIGN SCHEMA" }]],
  ["security", [{ name: "SECURITY LABEL" }]],
  ["notify", plain],

  ["begin", [controls("begin")]],
  ["start", [{ when: starts(/^start transaction /), ...controls("begin"), name: "START TRANSACTION" }]],
  ["commit", ends("commit", "COMMIT")],
  ["end", ends("commit", "COMMIT")],
  ["rollback", [toSavepoint, ...ends("rollback", "ROLLBACK")]],
  ["abort", ends("rollback", "ROLLBACK")],
  ["savepoint", [controls("savepoint")]],
  ["release", [{ ...controls("release"), name: "RELEASE SAVEPOINT" }]],
  [
    "prepare",
    [
      { when: starts(/^prepare transaction '' /), ...controls("prepare"), name: "PREPARE TRANSACTION" },
      { session: "prepared" },
    ],
  ],

  // `SET local.x = 1` is a setting with a two-part name
  [
    "set",
    [
      { when: starts(/^set (?:local|transaction|constraints) (?![.@])(?!to )/), session: "local" },
      { session: "setting" },
    ],
  ],
  ["reset", [{ session: "setting" }]],

  ["listen", pinned],
  ["unlisten", pinned],
  ["load", pinned],
  ["deallocate", [{ session: "prepared" }]],
  [
    "discard",
    [
      { when: starts(/^discard all $/), session: "setting", transactional: false },
      { session: "pinned", transactional: false },
    ],
  ],

  [
    "declare",
    [
      {
        when: starts(
          /^declare [^ ]+ (?:binary |asensitive |insensitive |scroll |no scroll )*cursor (?:without hold )?for /,
        ),
        stream: true,
      },
      { session: "pinned", stream: true },
    ],
  ],
  ["fetch", cursor],
  ["move", cursor],
  ["close", plain],
  ["copy", [{ when: mentions("stdin", "stdout"), stream: true }, {}]],

  [
    "create",
    [
      { when: starts(/^create (?:or replace )?(?:global |local )?temp(?:orary)? /), session: "pinned" },
      { when: starts(/^create (?:database|tablespace|subscription) /), transactional: false },
      { when: mentions("concurrently"), transactional: false },
      {},
    ],
  ],
  [
    "alter",
    [
      { when: starts(/^alter (?:system|database|subscription) /), transactional: false },
      { when: mentions("concurrently"), transactional: false },
      {},
    ],
  ],
  [
    "drop",
    [
      { when: starts(/^drop (?:database|tablespace|subscription) /), transactional: false },
      { when: mentions("concurrently"), transactional: false },
      {},
    ],
  ],
  ["vacuum", alone],
  ["cluster", alone],
  ["reindex", alone],
  ["call", alone],
  ["do", alone],
]);
