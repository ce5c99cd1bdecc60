import { setTimeout as sleep } from "node:timers/promises";
import type { FailoverPool } from "@mirrorpool/core";
import type { Dialect } from "../dialect.ts";
import { isPassing } from "../faults.ts";
import type { Key } from "../model.ts";
import type { Pair } from "../pair-tables.ts";
import { PATIENT } from "../querier.ts";
import type { Batch } from "./batches.ts";

const ATTEMPTS = 20;
const REST_MS = 100;

/**
 * Makes the rows of a batch on the target what they are on the source now, in one transaction. That may be done twice without
 * harm: a lost answer needs no settling.
 */
export async function writeBatch(
  work: {
    readonly dialect: Dialect;
    readonly from: FailoverPool;
    readonly to: FailoverPool;
    readonly signal: AbortSignal;
  },
  { source, target }: Pair,
  { rows }: Batch,
): Promise<void> {
  const { dialect, from, to, signal } = work;
  const keys = rows.flatMap(({ key }): Key[] => (key === null ? [] : [key]));
  const options = { ...PATIENT, signal };
  for (let attempt = 1; ; attempt += 1) {
    try {
      const current = await from.transaction(
        async (on) => {
          await on.query(dialect.readerSettings.join("; "));
          return dialect.readRows(on, source, keys, signal);
        },
        { ...options, readOnly: true },
      );
      const places = (source.key ?? []).map(({ name }) => source.columns.findIndex((column) => column.name === name));
      const there = new Set(current.map((row) => JSON.stringify(places.map((place) => row[place]))));
      const gone = keys.filter((key) => !there.has(JSON.stringify(key)));
      await to.transaction(async (on) => {
        await on.query(dialect.writerSettings.join("; "));
        await dialect.deleteRows(on, target, gone, signal);
        await dialect.writeRows(on, target, current, signal);
      }, options);
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (!isPassing(error) || attempt >= ATTEMPTS) throw error;
      await sleep(REST_MS, undefined, { signal });
    }
  }
}
