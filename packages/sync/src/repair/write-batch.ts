import { setTimeout as sleep } from "node:timers/promises";
import type { FailoverPool } from "@mirrorpool/core";
import type { Bridge } from "../dialects.ts";
import { isPassing } from "../faults.ts";
import type { Key } from "../model.ts";
import type { Pair } from "../pair-tables.ts";
import { PATIENT, type Querier } from "../querier.ts";
import type { Batch } from "./batches.ts";

const ATTEMPTS = 20;
const REST_MS = 100;

/**
 * Makes the rows of a batch on the target what they are on the source now, in one transaction. That may be done twice without
 * harm: a lost answer needs no settling.
 */
export async function writeBatch(
  work: {
    readonly bridge: Bridge;
    readonly from: FailoverPool;
    readonly to: FailoverPool;
    readonly signal: AbortSignal;
  },
  { source, target }: Pair,
  { rows }: Batch,
): Promise<void> {
  const { bridge, from, to, signal } = work;
  const keys = rows.flatMap(({ key }): Key[] => (key === null ? [] : [key]));
  const options = { ...PATIENT, signal };
  for (let attempt = 1; ; attempt += 1) {
    try {
      const current = await from.transaction(
        async (on) => {
          await bridge.source.prepareReader(on);
          return bridge.source.readRows(on, source, keys, signal);
        },
        { ...options, readOnly: true },
      );
      const places = (source.key ?? []).map(({ name }) => source.columns.findIndex((column) => column.name === name));
      const there = new Set(current.map((row) => JSON.stringify(places.map((place) => row[place]))));
      const gone = keys.filter((key) => !there.has(JSON.stringify(key)));
      const write = async (on: Querier): Promise<void> => {
        await bridge.target.prepareWriter(on);
        await bridge.target.deleteRows(on, target, gone, signal);
        await bridge.target.writeRows(on, target, current, signal);
      };
      await to.transaction(write, { ...options, isolation: "read committed" });
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (!isPassing(error) || attempt >= ATTEMPTS) throw error;
      await sleep(REST_MS, undefined, { signal });
    }
  }
}
