import type { FailoverPool } from "@mirrorpool/core";
import type { LabNode } from "@mirrorpool/lab";
import type { FinalState, Tables } from "../evidence.ts";

export const ACCOUNTS = 20;
export const COUNTERS = 4;
export const OPENING_BALANCE = 1000;

const accounts = Array.from({ length: ACCOUNTS }, (_, index) => `(${index + 1}, ${OPENING_BALANCE})`);
const counters = Array.from({ length: COUNTERS }, (_, index) => `(${index + 1}, 0)`);

/** No unique constraint on `op`: a second effect shall be seen, not refused. `key` is a column for where there has to be one. */
const schema = (key: string): readonly string[] => [
  "CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)",
  `CREATE TABLE journal (${key}op int NOT NULL, debited int NOT NULL, credited int NOT NULL, amount int NOT NULL)`,
  `CREATE TABLE entry (${key}op int NOT NULL)`,
  "CREATE INDEX entry_op ON entry (op)",
  "CREATE TABLE counter (id int PRIMARY KEY, value int NOT NULL)",
  `CREATE TABLE reading (${key}op int NOT NULL, counter int NOT NULL, seen int NOT NULL)`,
  `INSERT INTO account VALUES ${accounts.join(", ")}`,
  `INSERT INTO counter VALUES ${counters.join(", ")}`,
];

/** Makes the tables and the commit ledger, as the application's own role. */
export async function openBank(pool: FailoverPool, key: string = ""): Promise<void> {
  await pool.query(pool.ledgerSchema());
  for (const statement of schema(key)) await pool.query(statement);
}

/** What a server has of the operations from `first` on, asked past proxy and pool. */
export async function readTables(node: LabNode, first = 0): Promise<Tables> {
  return {
    entries: await node.query(`SELECT op FROM entry WHERE op >= ${first}`),
    journal: await node.query(`SELECT op, debited, credited, amount FROM journal WHERE op >= ${first}`),
    readings: await node.query(`SELECT op, counter, seen FROM reading WHERE op >= ${first}`),
  };
}

/** All that a server has. */
export async function readAll(node: LabNode): Promise<FinalState> {
  const balances = await node.query<{ id: number; balance: number }>("SELECT id, balance FROM account");
  const counters = await node.query<{ id: number; value: number }>("SELECT id, value FROM counter");
  return {
    ...(await readTables(node)),
    balances: new Map(balances.map(({ id, balance }) => [id, balance])),
    counters: new Map(counters.map(({ id, value }) => [id, value])),
  };
}
