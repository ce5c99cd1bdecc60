import type { FailoverPool } from "@mirrorpool/core";
import type { TargetDialect } from "../dialect.ts";
import { nameOf, type Table } from "../model.ts";
import { onPrimary } from "../querier.ts";
import { type Keys, notMade, withoutThose } from "../types/keys-for.ts";

export interface MakeKeysWork {
  readonly dialect: TargetDialect;
  readonly to: FailoverPool;
  /** So many indexes are made at a time. */
  readonly connections: number;
  readonly signal: AbortSignal;
}

/**
 * Gives tables that were made their indexes, several at a time, and then their foreign keys. What the database cannot have with these rows is
 * left: the rows are there, and whole. May be done again. Returns what was left, for a person.
 */
export async function makeKeys(
  { dialect, to, connections, signal }: MakeKeysWork,
  keys: Keys,
  targets: readonly Table[],
): Promise<readonly string[]> {
  if (keys.indexes.length + keys.foreignKeys.length === 0) return keys.left;
  const { indexes, foreignKeys } = withoutThose(keys, await dialect.readConstraints(onPrimary(to), signal));
  const tables = new Map(targets.map((table) => [nameOf(table), table]));
  const warnings = [...keys.left];
  const queue = [...indexes];
  const attempt = async (key: Parameters<typeof notMade>[0], make: () => Promise<void>): Promise<void> => {
    try {
      await make();
    } catch (error) {
      signal.throwIfAborted();
      const why = dialect.whyNotMade(error);
      if (why === undefined) {
        queue.length = 0; // nobody begins another one
        throw error;
      }
      warnings.push(notMade(key, why));
    }
  };
  const work = async (): Promise<void> => {
    for (let index = queue.shift(); index !== undefined; index = queue.shift()) {
      const next = index;
      const table = tables.get(nameOf(next.table));
      if (table !== undefined) await attempt(next, () => dialect.makeIndex(to, next, table, signal));
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(connections, indexes.length) }, work));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  for (const key of foreignKeys) await attempt(key, () => dialect.makeForeignKey(to, key, signal));
  return warnings;
}
