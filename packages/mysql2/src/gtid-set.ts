/** Whole numbers from `first` to `last`, both included. */
type Interval = readonly [first: bigint, last: bigint];

/** What a MySQL server has executed: for each source (`uuid`, or `uuid:tag`) the numbers of its transactions, in order. */
export type GtidSet = ReadonlyMap<string, readonly Interval[]>;

const SOURCE = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TAG = /^[a-z_][a-z0-9_]{0,31}$/;
const INTERVAL = /^(\d{1,19})(?:-(\d{1,19}))?$/;

/**
 * Reads what `@@gtid_executed` answers (MySQL manual, "GTID Sets"), such as `uuid:1-5:8,uuid:1-3:tag:1`.
 * @throws {Error} for what is none
 */
export function parseGtidSet(text: string): GtidSet {
  const set = new Map<string, Interval[]>();
  for (const part of text.split(",")) {
    const [source = "", ...rest] = part.trim().toLowerCase().split(":");
    if (source === "" && rest.length === 0) continue;
    if (!SOURCE.test(source)) throw new Error("not a GTID set");
    let key = source;
    for (const each of rest.map((piece) => piece.trim())) {
      if (TAG.test(each)) key = `${source}:${each}`;
      else set.set(key, [...(set.get(key) ?? []), toInterval(each)]);
    }
  }
  for (const [key, intervals] of set) set.set(key, joined(intervals));
  return set;
}

function toInterval(text: string): Interval {
  const match = INTERVAL.exec(text);
  if (match === null) throw new Error("not a GTID set");
  const first = BigInt(match[1] as string); // matched
  return [first, match[2] === undefined ? first : BigInt(match[2])];
}

/** In order, and none right behind another one. */
function joined(intervals: readonly Interval[]): Interval[] {
  const result: Interval[] = [];
  for (const [first, last] of [...intervals].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
    const before = result.at(-1);
    if (before !== undefined && first <= before[1] + 1n) result[result.length - 1] = [before[0], max(before[1], last)];
    else result.push([first, last]);
  }
  return result;
}

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** Each transaction of `other` is in `set`; the source `without` is not looked at. */
export function includes(set: GtidSet, other: GtidSet, without?: string): boolean {
  for (const [key, intervals] of other) {
    if (without !== undefined && sourceOf(key) === without) continue;
    const has = set.get(key) ?? [];
    const isIn = ([first, last]: Interval): boolean => has.some((each) => each[0] <= first && last <= each[1]);
    if (!intervals.every(isIn)) return false;
  }
  return true;
}

/** The part of a set that one server has written. */
export function writtenBy(set: GtidSet, source: string): GtidSet {
  return new Map([...set].filter(([key]) => sourceOf(key) === source));
}

const sourceOf = (key: string): string => key.split(":")[0] as string; // split gives one part at least
