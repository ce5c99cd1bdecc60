import type { Bridge } from "../dialects.ts";
import { type Checksum, isEqual, type Key, nameOf, type Range, rangesBetween } from "../model.ts";
import type { Pair } from "../pair-tables.ts";
import type { Querier } from "../querier.ts";

/** One row that is not the same on both sides; the whole table where it has no key. */
export interface Difference {
  /** `schema.table` */
  readonly table: string;
  /** Texts of the key's columns. Null: the table has no key, and differs somewhere. */
  readonly key: Key | null;
  /** On the target: `missing`, `extra` or `different`. */
  readonly what: "missing" | "extra" | "different";
}

/** A difference, and what it was seen by. */
export interface Suspect extends Difference {
  readonly here: string | undefined;
  readonly there: string | undefined;
}

export interface Sides {
  readonly bridge: Bridge;
  readonly from: Querier;
  readonly to: Querier;
  readonly signal: AbortSignal;
}

/** Up to so many rows are looked at one by one. */
const LEAF_ROWS = 5000;
/** Into so many parts at most a range is cut that differs. */
const PARTS = 16;

export interface RangeOutcome {
  readonly rows: { readonly from: number; readonly to: number };
}

/**
 * Compares a range by checksums that the servers compute, and where these differ its parts, down to the rows. Hands out what
 * differs in small batches; ends when `take` says false.
 * @param pair both sides' tables with the same columns in the same order
 */
export async function findDifferences(
  sides: Sides,
  pair: Pair,
  range: Range,
  take: (batch: readonly Suspect[]) => boolean,
): Promise<RangeOutcome> {
  const [here, there] = await checksums(sides, pair, range);
  await narrow(sides, pair, range, here, there, take);
  return { rows: { from: here.rows, to: there.rows } };
}

function checksums(
  { bridge, from, to, signal }: Sides,
  { source, target }: Pair,
  range: Range,
): Promise<[Checksum, Checksum]> {
  return Promise.all([
    bridge.source.checksum(from, source, range, signal),
    bridge.target.checksum(to, target, range, signal),
  ]);
}

async function narrow(
  sides: Sides,
  pair: Pair,
  range: Range,
  here: Checksum,
  there: Checksum,
  take: (batch: readonly Suspect[]) => boolean,
): Promise<boolean> {
  if (isEqual(here, there)) return true;
  const { source, target } = pair;
  const table = nameOf(source);
  if (source.key === undefined) {
    const what = here.rows > there.rows ? "missing" : here.rows < there.rows ? "extra" : "different";
    return take([{ table, key: null, what, here: describe(here), there: describe(there) }]);
  }
  const rows = Math.max(here.rows, there.rows);
  const { bridge, from, to, signal } = sides;
  if (rows <= LEAF_ROWS) return take(await compareRows(sides, pair, range));
  const parts = Math.min(PARTS, Math.ceil((2 * rows) / LEAF_ROWS));
  const bounds =
    here.rows >= there.rows
      ? await bridge.source.splitRange(from, source, range, parts, { rows, signal })
      : await bridge.target.splitRange(to, target, range, parts, { rows, signal });
  if (bounds.length === 0) return take(await compareRows(sides, pair, range));
  for (const part of rangesBetween(bounds, range)) {
    const [one, other] = await checksums(sides, pair, part);
    if (!(await narrow(sides, pair, part, one, other, take))) return false;
  }
  return true;
}

const describe = ({ rows, sum }: Checksum): string => `${rows}:${sum}`;

async function compareRows({ bridge, from, to, signal }: Sides, pair: Pair, range: Range): Promise<Suspect[]> {
  const [here, there] = await Promise.all([
    bridge.source.keyHashes(from, pair.source, range, signal),
    bridge.target.keyHashes(to, pair.target, range, signal),
  ]);
  return differencesOf(nameOf(pair.source), here, there);
}

/** Pure. */
export function differencesOf(
  table: string,
  here: ReadonlyMap<string, string>,
  there: ReadonlyMap<string, string>,
): Suspect[] {
  const found: Suspect[] = [];
  for (const [json, hash] of here) {
    const other = there.get(json);
    if (other === hash) continue;
    const what = other === undefined ? "missing" : "different";
    found.push({ table, key: JSON.parse(json) as Key, what, here: hash, there: other });
  }
  for (const [json, hash] of there)
    if (!here.has(json))
      found.push({ table, key: JSON.parse(json) as Key, what: "extra", here: undefined, there: hash });
  return found;
}
