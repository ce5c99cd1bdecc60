import { type Command, type CommandRow, type CommandTable, controls, lookUp, mentions, starts } from "../commands.ts";
import { withoutOpening } from "../parenthesis.ts";
import type { Piece } from "../piece.ts";
import type { Token } from "../token.ts";
import { definitionName } from "./definitions.ts";
import { setCommand } from "./set.ts";
import { isLabelled } from "./split.ts";
import type { Modes } from "./sql-mode.ts";

/** Looks up what kind of command a statement is. Unknown ones may do anything. */
export function commandOf(piece: Piece, modes: Modes): Command {
  const { tokens } = piece;
  const command = lookUp(COMMANDS, withoutOpening(tokens), definitionName);
  if (command.name === "SET") return { ...command, ...setCommand(piece, modes) };
  if (isLabelled(tokens, 0)) return { ...command, ...anything, name: "BEGIN NOT ATOMIC" };
  // a body with statements of its own, or what follows it: where it ends is not known
  return tokens.some(({ kind }) => kind === ";") ? { ...command, ...anything } : command;
}

/** As much as a text can do that is not seen. */
const anything = { transaction: "mixed", implicitCommit: false, session: "pinned", transactional: false } as const;

/** What is given a user variable may assign to it. */
const hasVariable = (tokens: readonly Token[]): boolean => tokens.some(({ kind }) => kind === "variable");
const isLocalLoad = starts(/^load (?:data|xml) (?:\w+ )?local /);

const plain: readonly CommandRow[] = [{}];
/** Has its effect at once and for good, whatever becomes of the transaction. */
const alone: readonly CommandRow[] = [{ transactional: false }];
const commits: readonly CommandRow[] = [{ transactional: false, implicitCommit: true }];
/** One of the two systems commits the open transaction, or some forms do. */
const unsure: CommandRow = { transaction: "mixed", transactional: false };
const pinned: readonly CommandRow[] = [{ session: "pinned", transactional: false }];
/** What it does is in a text or a routine that is not seen here. */
const hidden: readonly CommandRow[] = [anything];

function ends(transaction: "commit" | "rollback", name: string): CommandRow[] {
  return [
    { when: starts(/^\w+ (?:work )?and chain /), ...controls("chain"), name },
    { ...controls(transaction), name },
  ];
}

/** MySQL 9 and MariaDB 10.11, chapters "SQL Statements". */
const COMMANDS: CommandTable = new Map<string, readonly CommandRow[]>([
  ["select", plain],
  ["values", plain],
  ["table", plain],
  ["with", plain],
  ["insert", plain],
  ["replace", plain],
  ["update", plain],
  ["delete", plain],
  ["explain", plain],
  ["describe", plain],
  ["desc", [{ name: "DESCRIBE" }]],
  ["show", plain],
  ["help", plain],
  ["do", plain],
  ["signal", plain],
  ["checksum", [{ name: "CHECKSUM TABLE" }]],
  [
    "load",
    [
      { when: starts(/^load index /), ...unsure, name: "LOAD INDEX INTO CACHE" },
      {
        when: (tokens) => isLocalLoad(tokens) && hasVariable(tokens),
        stream: true,
        session: "pinned",
        name: "LOAD DATA LOCAL",
      },
      { when: isLocalLoad, stream: true, name: "LOAD DATA LOCAL" },
      { when: hasVariable, session: "pinned", name: "LOAD DATA" },
      { name: "LOAD DATA" },
    ],
  ],
  ["import", [{ transactional: false, implicitCommit: true, name: "IMPORT TABLE" }]],

  [
    "begin",
    [
      { when: starts(/^begin not /), ...anything, name: "BEGIN NOT ATOMIC" },
      { ...controls("begin"), implicitCommit: true },
    ],
  ],
  [
    "start",
    [
      { when: starts(/^start transaction /), ...controls("begin"), implicitCommit: true, name: "START TRANSACTION" },
      { when: starts(/^start (?:slave|replica|all|group_replication) /), ...unsure },
    ],
  ],
  ["commit", ends("commit", "COMMIT")],
  [
    "rollback",
    [
      { when: starts(/^rollback (?:work )?to /), ...controls("rollback-to"), name: "ROLLBACK TO SAVEPOINT" },
      ...ends("rollback", "ROLLBACK"),
    ],
  ],
  ["savepoint", [controls("savepoint")]],
  ["release", [{ ...controls("release"), name: "RELEASE SAVEPOINT" }]],
  ["xa", [{ when: starts(/^xa recover /), transactional: false }, anything]],

  ["set", [{ transactional: true }]],
  ["use", [{ session: "setting" }]],
  ["prepare", [{ when: starts(/^prepare [^ ]+ from (?:''|"") $/), session: "prepared" }, { session: "pinned" }]],
  ["deallocate", [{ session: "prepared" }]],
  ["execute", hidden],
  ["call", [{ when: hasVariable, ...anything }, unsure]],

  ["handler", pinned],
  [
    "lock",
    [
      {
        when: starts(/^lock tables? /),
        session: "pinned",
        transactional: false,
        implicitCommit: true,
        name: "LOCK TABLES",
      },
      { session: "pinned", transactional: false },
    ],
  ],
  // ends the transaction only where tables are locked
  ["unlock", [{ ...unsure, session: "pinned" }]],
  [
    "flush",
    [{ when: mentions("lock", "export"), session: "pinned", transactional: false, implicitCommit: true }, ...commits],
  ],
  ["backup", [{ ...unsure, session: "pinned" }]],
  ["get", [{ session: "pinned", name: "GET DIAGNOSTICS" }]],
  ["resignal", plain],

  [
    "create",
    [{ when: starts(/^create (?:or replace )?temporary table /), session: "pinned", transactional: false }, ...commits],
  ],
  [
    "drop",
    [
      { when: starts(/^drop prepare /), session: "prepared" },
      { when: starts(/^drop temporary table /), transactional: false },
      ...commits,
    ],
  ],
  ["alter", commits],
  ["rename", commits],
  ["truncate", commits],
  ["grant", commits],
  ["revoke", commits],
  ["analyze", commits],
  ["check", commits],
  ["optimize", commits],
  ["repair", commits],
  ["cache", [unsure]],
  ["install", commits],
  ["uninstall", commits],
  ["change", [unsure]],
  ["stop", [unsure]],
  ["reset", [unsure]],
  ["kill", alone],
  ["purge", alone],
  ["binlog", hidden],
  ["shutdown", alone],
  ["restart", alone],
  ["clone", alone],

  // blocks of MariaDB
  ["if", hidden],
  ["case", hidden],
  ["loop", hidden],
  ["while", hidden],
  ["repeat", hidden],
  ["for", hidden],
  ["declare", hidden],
]);
