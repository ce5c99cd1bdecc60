import type { FailoverPool, Transaction } from "@mirrorpool/core";
import { findAll } from "../compare/compare.ts";
import type { Suspect } from "../compare/find-differences.ts";
import { refuseLosses } from "../copy/losses.ts";
import type { View } from "../dialect.ts";
import type { Bridge } from "../dialects.ts";
import { JobError, refused } from "../errors.ts";
import { foreignKeyOrder } from "../foreign-key-order.ts";
import { MARK } from "../mark.ts";
import { type Catalog, type Key, nameOf, type Row, type Table } from "../model.ts";
import { comparable, type Pair } from "../pair-tables.ts";
import { Meter } from "../progress.ts";
import { PATIENT } from "../querier.ts";
import { type Batch, planBatches } from "../repair/batches.ts";
import type { Applier } from "./applier.ts";

/** More than these are not kept in memory, nor written in one transaction. */
const MAX_DIFFERENCES = 200_000;
const BATCH_ROWS = 500;

/**
 * Makes the target equal to a view of the source in one transaction, by what differs: whoever reads the target sees the state before
 * or the state after.
 * @param settle runs in that transaction: the position from which to go on
 * @returns how many rows were written; undefined, and nothing is changed, where too many differ for that
 */
export async function reseed(
  work: {
    readonly bridge: Bridge;
    readonly from: FailoverPool;
    readonly to: FailoverPool;
    readonly pairs: readonly Pair[];
    readonly connections: number;
    readonly signal: AbortSignal;
    readonly applier: Applier;
  },
  view: View,
  settle: (on: Transaction) => Promise<void>,
): Promise<number | undefined> {
  const { bridge, from, to, signal, connections, applier } = work;
  const numbers = { connections, chunkBytes: 67_108_864, maxDifferences: MAX_DIFFERENCES, attempts: 1 };
  const meter = new Meter("reseed", undefined);
  const lent: View = {
    node: view.node,
    holder: view.holder,
    get isAlive() {
      return view.isAlive;
    },
    reader: (end) => view.reader(end),
    lock: (tables, end) => view.lock(tables, end),
    close: () => {}, // it is the caller's
  };
  const openView = (): Promise<View> => Promise.resolve(lent);
  const search = { bridge, from, to, numbers, readFrom: "primary", signal, meter, openView } as const;
  const pairs = work.pairs.map(comparable);
  const reader = await view.reader(signal);
  try {
    const refusals = await refuseLosses(bridge, reader, pairs, signal);
    if (refusals.length > 0) throw refused("following is", refusals);
    const { suspects, isTruncated, foreignKeys } = await findAll(search, () => pairs);
    if (isTruncated) return undefined;
    await to.transaction(
      async (on) => {
        await applier.prepare(on);
        await writeAll({ ...work, pairs }, foreignKeys, suspects, on, (table, keys) =>
          bridge.source.readRows(reader, table, keys, signal),
        );
        await settle(on);
      },
      { ...PATIENT, signal },
    );
    return suspects.length;
  } finally {
    reader.release();
  }
}

async function writeAll(
  { bridge, pairs, signal }: Pick<Parameters<typeof reseed>[0], "bridge" | "pairs" | "signal">,
  foreignKeys: Catalog["foreignKeys"],
  suspects: readonly Suspect[],
  on: Transaction,
  read: (table: Table, keys: readonly Key[]) => Promise<readonly Row[]>,
): Promise<void> {
  const { levels } = foreignKeyOrder(
    pairs.map((pair) => pair.target),
    foreignKeys,
  );
  const write = async (batch: Batch): Promise<readonly Suspect[]> => {
    const pair = pairs.find(({ source }) => nameOf(source) === batch.table) as Pair; // suspects are of these tables
    const keys = batch.rows.flatMap(({ key }): Key[] => (key === null ? [] : [key]));
    await on.query(MARK.set);
    try {
      if (batch.action === "delete") await bridge.target.deleteRows(on, pair.target, keys, signal);
      else await bridge.target.writeRows(on, pair.target, await read(pair.source, keys), signal);
      await on.query(MARK.remove);
      return [];
    } catch (error) {
      if (!bridge.target.isConflict(error)) throw error;
      await on.query(MARK.goBack);
      if (batch.rows.length === 1) return batch.rows;
      const middle = Math.ceil(batch.rows.length / 2);
      const first = await write({ ...batch, rows: batch.rows.slice(0, middle) });
      return [...first, ...(await write({ ...batch, rows: batch.rows.slice(middle) }))];
    }
  };
  let left = suspects;
  while (left.length > 0) {
    const postponed: Suspect[] = [];
    for (const batch of planBatches(left, levels, BATCH_ROWS)) postponed.push(...(await write(batch)));
    if (postponed.length === left.length) {
      const [first] = postponed as [Suspect];
      const message = `${postponed.length} rows could not be made equal, the first one in ${first.table} with the key ${JSON.stringify(first.key)}: a constraint of the target stands in the way`;
      throw new JobError("REPAIR_CONFLICT", message, { resumable: true });
    }
    left = postponed;
  }
}
