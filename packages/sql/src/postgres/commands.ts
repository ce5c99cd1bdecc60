import { type Command, type CommandRow, type CommandTable, controls, lookUp, mentions, starts } from "../commands.ts";
import type { Token } from "../token.ts";
import { definitionName } from "./definitions.ts";

/** Looks up what kind of command a statement is. Unknown ones may do anything. */
export function commandOf(tokens: readonly Token[]): Command {
  return lookUp(COMMANDS, tokens, definitionName);
}

const plain: readonly CommandRow[] = [{}];
const pinned: readonly CommandRow[] = [{ session: "pinned" }];
const cursor: readonly CommandRow[] = [{ stream: true }];
/** Refused inside a transaction block, always or in some forms, or free to end the transaction itself. */
const alone: readonly CommandRow[] = [{ transactional: false }];

function ends(transaction: "commit" | "rollback", name: string): readonly CommandRow[] {
  return [
    { when: starts(/^\w+ prepared '' /), name: `${name} PREPARED`, transactional: false },
    { when: starts(/^\w+ (?:work |transaction )?and chain /), ...controls("chain"), name },
    { ...controls(transaction), name },
  ];
}

const toSavepoint: CommandRow = {
  when: starts(/^rollback (?:work |transaction )?to /),
  ...controls("rollback-to"),
  name: "ROLLBACK TO SAVEPOINT",
};

/** PostgreSQL 18, chapter "SQL Commands". */
const COMMANDS: CommandTable = new Map<string, readonly CommandRow[]>([
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
