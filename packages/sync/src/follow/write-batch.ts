import type { Querier } from "../querier.ts";
import type { ChangeStream, Followed, SourceChange } from "./change-source.ts";
import type { Change } from "./net-effect.ts";
import { type Writing, writeChanges } from "./write-changes.ts";

/** What was written in one transaction of the target. */
export interface Batch {
  readonly transactions: number;
  readonly changes: number;
  /** Where the last transaction of the source ends; undefined where none has ended. */
  readonly end: string | undefined;
  readonly committedAt: number | undefined;
}

/** Source transactions that are written in one of the target. */
const MAX_TRANSACTIONS = 1000;

/**
 * Writes in the open transaction all that has come of whole transactions of the source, one at least, and waits for the rest of one
 * that has begun.
 */
export async function writeBatch(
  on: Querier,
  first: SourceChange,
  stream: ChangeStream,
  { batchChanges, ...given }: Omit<Writing, "tables"> & { readonly batchChanges: number },
): Promise<Batch> {
  const batch = { transactions: 0, changes: 0, end: undefined, committedAt: undefined } as {
    -readonly [K in keyof Batch]: Batch[K];
  };
  const pending: Change[] = [];
  const tables = new Map<string, Followed>();
  const flush = async (): Promise<void> => {
    await writeChanges(on, pending, { ...given, tables });
    batch.changes += pending.length;
    pending.length = 0;
    tables.clear();
  };
  let isOpen = false;
  for (let change: SourceChange | undefined = first; change !== undefined; ) {
    switch (change.type) {
      case "none":
        break;
      case "begin":
        isOpen = true;
        break;
      case "commit":
        isOpen = false;
        batch.transactions += 1;
        batch.end = change.position;
        batch.committedAt = change.committedAt;
        break;
      case "truncate":
        await flush();
        if (given.applier.actions === "as-told") await given.applier.act(on, false);
        await given.applier.truncate(
          on,
          change.tables.map(({ table }) => table),
          change,
        );
        break;
      case "insert":
      case "update":
      case "delete": {
        const { table } = change;
        // what came before is of the table as it was
        if ((tables.get(table.name) ?? table) !== table) await flush();
        tables.set(table.name, table);
        pending.push(toChange(change));
        if (pending.length >= batchChanges) await flush();
        break;
      }
      default:
        change satisfies never;
    }
    const isFull = batch.transactions >= MAX_TRANSACTIONS;
    change = isOpen || !(stream.isEmpty || isFull) ? await stream.take() : undefined;
  }
  await flush();
  return batch;
}

function toChange(change: Extract<SourceChange, { type: "insert" | "update" | "delete" }>): Change {
  const { isSilent = false } = change;
  const { name: table, keyOf } = change.table;
  if (change.type === "insert") return { type: "insert", table, key: keyOf(change.row), row: change.row, isSilent };
  if (change.type === "delete") return { type: "delete", table, key: keyOf(change.old), isSilent };
  const { old, row } = change;
  const newKey = keyOf(row);
  // what was not sent of the new row, a full old one has
  const whole =
    old === undefined ? row : row.map((value, index) => (value === undefined ? (old[index] ?? value) : value));
  return { type: "update", table, key: old === undefined ? newKey : keyOf(old), newKey, row: whole, isSilent };
}
