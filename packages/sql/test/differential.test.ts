import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  inspect,
  type SessionEffect,
  type StatementFacts,
  sessionChanges,
  type TransactionEffect,
} from "../src/index.ts";
import { corpus } from "./corpus.ts";
import { mutated, render, statement } from "./grammar.ts";
import { type Node, type Parsed, parse } from "./oracle.ts";
import { search } from "./search.ts";

const facts = (sql: string): StatementFacts => inspect(sql, "postgres");

/** What must hold of any text that PostgreSQL accepts. */
function expectAgreement(sql: string, parsed: Parsed): void {
  const found = facts(sql);
  if (parsed.notRead !== undefined) expect(found.intent, `${parsed.notRead} in ${sql}`).toBe("write");
  if (parsed.effect !== undefined) expect(found.repeatable, `${parsed.effect} in ${sql}`).toBeUndefined();
  if (/u&"/i.test(sql)) return; // not read at all: the worst is taken for granted
  expect(found.multiple, sql).toBe(parsed.statements.length > 1);
  const [first, ...others] = parsed.statements;
  if (first === undefined) {
    expect(found.command, sql).toBe("EMPTY");
    return;
  }
  const commands = COMMANDS[first.type] ?? [definition(first.type)];
  expect(
    commands.some((command) => found.command.startsWith(command)),
    `${found.command} of ${first.type}`,
  ).toBe(true);
  if (others.length > 0) return;
  expect(found.transaction, sql).toBe(transactionOf(first.type, first.node));
  if (isPinned(first.type, first.node)) expect(found.session, sql).toBe("pinned");
  expect(found.savepoint, sql).toBe(first.node.savepoint_name);
  expectChanges(sql, first.type, first.node, found.session);
  if (refusesTransaction(first.type, first.node)) expect(found.transactional, sql).toBe(false);
}

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  SelectStmt: ["SELECT", "VALUES", "TABLE", "WITH"],
  InsertStmt: ["INSERT", "WITH"],
  UpdateStmt: ["UPDATE", "WITH"],
  DeleteStmt: ["DELETE", "WITH"],
  MergeStmt: ["MERGE", "WITH"],
  TransactionStmt: ["BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PREPARE TRANSACTION"],
  VariableSetStmt: ["SET", "RESET"],
  VariableShowStmt: ["SHOW"],
  ConstraintsSetStmt: ["SET"],
  ExplainStmt: ["EXPLAIN"],
  VacuumStmt: ["VACUUM", "ANALYZE", "ANALYSE"],
  ClosePortalStmt: ["CLOSE"],
  DeclareCursorStmt: ["DECLARE"],
  FetchStmt: ["FETCH", "MOVE"],
  CheckPointStmt: ["CHECKPOINT"],
  RefreshMatViewStmt: ["REFRESH MATERIALIZED VIEW"],
  ReassignOwnedStmt: ["REASSIGN"],
  ImportForeignSchemaStmt: ["IMPORT FOREIGN SCHEMA"],
  SecLabelStmt: ["SECURITY LABEL"],
  GrantStmt: ["GRANT", "REVOKE"],
  GrantRoleStmt: ["GRANT", "REVOKE"],
  IndexStmt: ["CREATE INDEX"],
  ViewStmt: ["CREATE VIEW"],
  RuleStmt: ["CREATE RULE"],
  DefineStmt: ["CREATE"],
  CompositeTypeStmt: ["CREATE TYPE"],
  RenameStmt: ["ALTER"],
};

/** `CreateStmt` → `CREATE`, `AlterRoleSetStmt` → `ALTER`, `ListenStmt` → `LISTEN`. */
function definition(type: string): string {
  return /^[A-Z][a-z]+?(?=db|[A-Z])/.exec(type)?.[0].toUpperCase() ?? type;
}

function transactionOf(type: string, node: Node): TransactionEffect {
  if (type !== "TransactionStmt") return "none";
  if (node.chain === true) return "chain";
  const kinds: Readonly<Record<string, TransactionEffect>> = {
    TRANS_STMT_BEGIN: "begin",
    TRANS_STMT_START: "begin",
    TRANS_STMT_COMMIT: "commit",
    TRANS_STMT_ROLLBACK: "rollback",
    TRANS_STMT_SAVEPOINT: "savepoint",
    TRANS_STMT_RELEASE: "release",
    TRANS_STMT_ROLLBACK_TO: "rollback-to",
    TRANS_STMT_PREPARE: "prepare",
  };
  return kinds[String(node.kind)] ?? "none"; // COMMIT PREPARED and ROLLBACK PREPARED
}

/** What is carried to another connection names what the parser names. */
function expectChanges(sql: string, type: string, node: Node, session: SessionEffect): void {
  const changes = sessionChanges(sql, "postgres", [], (value) => `'${value}'`);
  if (changes === undefined) return;
  const [change] = changes;
  if (type === "VariableSetStmt" && session !== "setting") expect(changes, sql).toEqual([]);
  if (type === "VariableSetStmt" && session === "setting") {
    const name = String(node.name).toLowerCase();
    if (node.kind === "VAR_RESET_ALL") expect(change?.type, sql).toBe("reset-all");
    else if (change === undefined) expect(name, sql).toMatch(/^transaction/);
    else if (node.kind !== "VAR_SET_MULTI")
      expect(change, sql).toMatchObject({ names: expect.arrayContaining([name]) });
    const isReset = node.kind === "VAR_RESET" || node.kind === "VAR_SET_DEFAULT";
    if (isReset && change !== undefined) expect(change.type, sql).toBe("reset");
  }
  if (type === "PrepareStmt") expect(change, sql).toMatchObject({ type: "prepare", name: node.name });
  if (type === "DeallocateStmt") {
    const isAll = node.name === undefined;
    expect(change, sql).toMatchObject(isAll ? { type: "deallocate-all" } : { type: "deallocate", name: node.name });
  }
  if (type === "DiscardStmt")
    expect([change?.type, node.target ?? "DISCARD_ALL"], sql).toEqual(["discard-all", "DISCARD_ALL"]);
  for (const each of changes) if ("text" in each) expect(parse(each.text)?.statements.length, sql).toBe(1);
}

const PINNING = ["ListenStmt", "UnlistenStmt", "LoadStmt"];
const CURSOR_HOLD = 0x20;

function isPinned(type: string, node: Node): boolean {
  if (type === "DeclareCursorStmt") return (Number(node.options) & CURSOR_HOLD) !== 0;
  return PINNING.includes(type) || JSON.stringify(node).includes('"relpersistence":"t"');
}

const NEVER_IN_TRANSACTION = [
  ...["TransactionStmt", "CreatedbStmt", "DropdbStmt", "CreateTableSpaceStmt", "DropTableSpaceStmt", "AlterSystemStmt"],
  ...["CreateSubscriptionStmt", "DropSubscriptionStmt", "ReindexStmt", "ClusterStmt", "CallStmt", "DoStmt"],
];

function refusesTransaction(type: string, node: Node): boolean {
  if (type === "VacuumStmt") return node.is_vacuumcmd === true;
  if (type === "IndexStmt" || type === "DropStmt") return node.concurrent === true;
  return NEVER_IN_TRANSACTION.includes(type);
}

describe.each(["orm-reads", "queries", "commands"] as const)("on the corpus %s", (name) => {
  test.each(corpus(name))("%s", (sql) => {
    const parsed = parse(sql);
    expect(parsed, "PostgreSQL takes it").toBeDefined();
    if (parsed !== undefined) expectAgreement(sql, parsed);
  });
});

test("agrees on pairs of statements of the corpora", () => {
  const any = fc.constantFrom(...corpus("commands"), ...corpus("queries"), ...corpus("orm-reads"));
  fc.assert(
    fc.property(any, any, fc.constantFrom(";", " ;\n-- '\n;", "\n; /* ; */"), (one, other, between) => {
      const sql = one + (one.includes("--") ? "\n" : "") + between + other;
      const parsed = parse(sql);
      if (parsed !== undefined) expectAgreement(sql, parsed);
    }),
    search(2_000),
  );
});

/** Runs the property on many texts and tells how many were taken by PostgreSQL, and how many of these were reads. */
function compare(texts: fc.Arbitrary<string>, numRuns: number): { valid: number; reads: number; recognised: number } {
  const count = { valid: 0, reads: 0, recognised: 0 };
  fc.assert(
    fc.property(texts, (sql) => {
      const parsed = parse(sql);
      if (parsed === undefined) return;
      count.valid += 1;
      if (parsed.notRead === undefined) count.reads += 1;
      if (facts(sql).intent === "read") count.recognised += 1;
      expectAgreement(sql, parsed);
    }),
    search(numRuns),
  );
  return count;
}

test("never calls a write a read: generated statements", () => {
  const { valid, reads, recognised } = compare(render(statement), 6_000);
  expect(valid).toBeGreaterThan(2_500);
  expect(valid - reads, "writes among them").toBeGreaterThan(400);
  expect(recognised / reads, "reads that were recognised").toBeGreaterThan(0.6);
});

test("never calls a write a read: generated statements with tokens changed at random", () => {
  const { valid } = compare(render(mutated(statement)), 12_000);
  expect(valid).toBeGreaterThan(300);
});

test("never calls a write a read: statements of the corpora with tokens changed at random", () => {
  const tokens = fc
    .constantFrom(...corpus("queries"), ...corpus("orm-reads"))
    .map((sql) => sql.match(/'[^']*'|"[^"]*"|\w+|[^\s\w]/g) ?? []);
  const { valid } = compare(render(mutated(tokens)), 20_000);
  expect(valid).toBeGreaterThan(1_500);
});
