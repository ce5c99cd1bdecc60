import type { Transaction } from "@mirrorpool/core";
import type { Lsn, Message } from "../postgres/pgoutput.ts";
import { quoteTable } from "../postgres/quote.ts";
import type { Inbox } from "./inbox.ts";
import type { Change } from "./net-effect.ts";
import type { Followed, Relations } from "./relations.ts";
import { type Writing, writeChanges } from "./write-changes.ts";

/** What was written in one transaction of the target. */
export interface Batch {
  readonly messages: number;
  readonly transactions: number;
  readonly changes: number;
  /** Where the last transaction of the source ends; undefined where none has ended. */
  readonly end: Lsn | undefined;
  readonly committedAt: number | undefined;
}

/** Source transactions that are written in one of the target. */
const MAX_TRANSACTIONS = 1000;

/**
 * Writes in the open transaction all that has come of whole transactions of the source, one at least, and waits for the rest of one
 * that has begun.
 */
export async function writeBatch(
  on: Transaction,
  first: Message,
  inbox: Inbox,
  relations: Relations,
  { batchChanges, ...given }: Omit<Writing, "tables"> & { readonly batchChanges: number },
): Promise<Batch> {
  const batch = { messages: 0, transactions: 0, changes: 0, end: undefined, committedAt: undefined } as {
    -readonly [K in keyof Batch]: Batch[K];
  };
  const pending: Change[] = [];
  const tables = new Map<string, Followed>();
  const flush = async (): Promise<void> => {
    await writeChanges(on, pending, { ...given, tables });
    batch.changes += pending.length;
    pending.length = 0;
  };
  let isOpen = false;
  for (let message: Message | undefined = first; message !== undefined; ) {
    batch.messages += 1;
    switch (message.type) {
      case "begin":
        isOpen = true;
        break;
      case "commit":
        isOpen = false;
        batch.transactions += 1;
        batch.end = message.endLsn;
        batch.committedAt = message.committedAt;
        break;
      case "relation":
        // what came before is of the table as it was
        await flush();
        await relations.take(message.relation, given.signal);
        break;
      case "truncate":
        await flush();
        await truncate(on, message, relations);
        break;
      case "insert":
      case "update":
      case "delete": {
        const table = relations.find(message.relation);
        if (table === undefined) break;
        tables.set(table.name, table);
        pending.push(toChange(message, table));
        if (pending.length >= batchChanges) await flush();
        break;
      }
      case "other":
        break;
      default:
        message satisfies never;
    }
    const isFull = batch.transactions >= MAX_TRANSACTIONS;
    message = isOpen || !(inbox.isEmpty || isFull) ? await inbox.take() : undefined;
  }
  await flush();
  return batch;
}

async function truncate(
  on: Transaction,
  { relations: ids, isCascade, restartsIdentity }: Extract<Message, { type: "truncate" }>,
  relations: Relations,
): Promise<void> {
  const tables = ids.flatMap((id) => relations.find(id) ?? []).map(({ table }) => quoteTable(table));
  if (tables.length === 0) return;
  const identity = restartsIdentity ? " RESTART IDENTITY" : "";
  await on.query(`TRUNCATE TABLE ${tables.join(", ")}${identity}${isCascade ? " CASCADE" : ""}`);
}

function toChange(
  message: Extract<Message, { type: "insert" | "update" | "delete" }>,
  { name, keyOf }: Followed,
): Change {
  if (message.type === "insert") return { type: "insert", table: name, key: keyOf(message.row), row: message.row };
  if (message.type === "delete") return { type: "delete", table: name, key: keyOf(message.old) };
  const { old, row } = message;
  const newKey = keyOf(row);
  // what was not sent of the new row, a full old one has
  const whole =
    old === undefined ? row : row.map((value, index) => (value === undefined ? (old[index] ?? value) : value));
  return { type: "update", table: name, key: old === undefined ? newKey : keyOf(old), newKey, row: whole };
}
