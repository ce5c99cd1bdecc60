/** All transactions up to a place, in the words of the one system or the other. */
export interface Gtids {
  /** One more, which comes after all that are in it. */
  add(gtid: string): void;
  /** Everything that is in the other one is in this one. */
  covers(other: string): boolean;
  /** Those of domains (MariaDB), or of servers (MySQL), of which the other one has some as well. */
  sharedWith(other: string): string;
  /** As it is kept. */
  toString(): string;
}

export const createGtids = (isMariadb: boolean, text: string): Gtids =>
  isMariadb ? new MariadbGtids(text) : new MysqlGtids(text);

const MARIADB_GTID = /^(\d{1,10})-(\d{1,10})-(\d{1,20})$/;

/**
 * MariaDB: for each domain what each server has written last, whoever wrote last of all at the end, such as `0-1-100,0-2-105`. The numbers of a
 * domain go on from server to server.
 */
export class MariadbGtids implements Gtids {
  readonly #domains = new Map<string, Map<string, bigint>>();

  constructor(text: string) {
    for (const gtid of partsOf(text)) this.add(gtid);
  }

  add(gtid: string): void {
    const [, domain = "", server = "", number = ""] = MARIADB_GTID.exec(gtid) ?? fail();
    const servers = this.#domains.get(domain) ?? new Map<string, bigint>();
    this.#domains.set(domain, servers);
    servers.delete(server); // to the end
    servers.set(server, BigInt(number));
  }

  covers(other: string): boolean {
    return [...new MariadbGtids(other).#domains].every(([domain, servers]) =>
      [...servers].every(([server, number]) => (this.#domains.get(domain)?.get(server) ?? -1n) >= number),
    );
  }

  sharedWith(other: string): string {
    const shared = new MariadbGtids(other).#domains;
    return textOf([...this.#domains].filter(([domain]) => shared.has(domain)));
  }

  /** The last of each domain: what a server is told from where to go on. */
  get last(): string {
    return [...this.#domains].map(([domain, servers]) => lastOf(domain, servers).gtid).join(",");
  }

  /** The last of each domain, of whichever goes on further in it. */
  furthest(other: MariadbGtids): MariadbGtids {
    const furthest = new MariadbGtids(this.last);
    for (const [domain, servers] of other.#domains) {
      const mine = furthest.#domains.get(domain);
      const { gtid, number } = lastOf(domain, servers);
      if (mine !== undefined && lastOf(domain, mine).number >= number) continue;
      furthest.#domains.delete(domain);
      furthest.add(gtid);
    }
    return furthest;
  }

  /** The same, with the other one's where both have some. */
  replacedBy(other: MariadbGtids): MariadbGtids {
    const replaced = new MariadbGtids(this.last);
    for (const [domain, servers] of other.#domains) {
      replaced.#domains.delete(domain);
      replaced.add(lastOf(domain, servers).gtid);
    }
    return replaced;
  }

  toString(): string {
    return textOf([...this.#domains]);
  }
}

function lastOf(
  domain: string,
  servers: ReadonlyMap<string, bigint>,
): { readonly gtid: string; readonly number: bigint } {
  const [server, number] = [...servers].at(-1) as [string, bigint]; // a domain has one
  return { gtid: `${domain}-${server}-${number}`, number };
}

const textOf = (domains: readonly (readonly [string, ReadonlyMap<string, bigint>])[]): string =>
  domains
    .flatMap(([domain, servers]) => [...servers].map(([server, number]) => `${domain}-${server}-${number}`))
    .join(",");

/** Whole numbers from the first to the last, both included. */
type Interval = [first: bigint, last: bigint];

const SOURCE = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TAG = /^[a-z_][a-z0-9_]{0,31}$/;
const INTERVAL = /^(\d{1,19})(?:-(\d{1,19}))?$/;

/** MySQL: a set, for each server (and tag) the numbers of its transactions, such as `uuid:1-5:8,uuid:1-3:tag:1`. */
export class MysqlGtids implements Gtids {
  /** By `uuid`, or `uuid:tag`. */
  readonly #intervals = new Map<string, Interval[]>();

  constructor(text: string) {
    for (const part of partsOf(text.toLowerCase())) {
      const [source = "", ...rest] = part.split(":");
      if (!SOURCE.test(source)) fail();
      let key = source;
      for (const each of rest) {
        const match = INTERVAL.exec(each);
        if (match !== null) this.#put(key, [BigInt(match[1] ?? ""), BigInt(match[2] ?? match[1] ?? "")]);
        else if (TAG.test(each)) key = `${source}:${each}`;
        else fail();
      }
    }
  }

  add(gtid: string): void {
    const at = gtid.lastIndexOf(":");
    const number = BigInt(gtid.slice(at + 1));
    this.#put(gtid.slice(0, at), [number, number]);
  }

  #put(key: string, [first, last]: Interval): void {
    const intervals = this.#intervals.get(key) ?? [];
    this.#intervals.set(key, intervals);
    const end = intervals.at(-1);
    if (end === undefined || first > end[1] + 1n) {
      intervals.push([first, last]);
      return;
    }
    if (first === end[1] + 1n) {
      end[1] = last;
      return;
    }
    intervals.push([first, last]);
    intervals.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
    const joined: Interval[] = [];
    for (const each of intervals) {
      const before = joined.at(-1);
      if (before === undefined || each[0] > before[1] + 1n) joined.push(each);
      else if (each[1] > before[1]) before[1] = each[1];
    }
    this.#intervals.set(key, joined);
  }

  covers(other: string): boolean {
    return [...new MysqlGtids(other).#intervals].every(([key, intervals]) => {
      const has = this.#intervals.get(key) ?? [];
      return intervals.every(([first, last]) => has.some((each) => each[0] <= first && last <= each[1]));
    });
  }

  sharedWith(other: string): string {
    const servers = new Set([...new MysqlGtids(other).#intervals.keys()].map(serverOf));
    const shared = new MysqlGtids("");
    for (const [key, intervals] of this.#intervals)
      if (servers.has(serverOf(key))) shared.#intervals.set(key, intervals);
    return shared.toString();
  }

  /** As the command of the protocol takes it. */
  encode(): Buffer {
    const entries = [...this.#intervals];
    const hasTags = entries.some(([key]) => key.includes(":"));
    const parts: Buffer[] = [
      int64(hasTags ? (1n << 56n) | (BigInt(entries.length) << 8n) | 1n : BigInt(entries.length)),
    ];
    for (const [key, intervals] of entries) {
      const [source = "", tag = ""] = key.split(":");
      parts.push(Buffer.from(source.replaceAll("-", ""), "hex"));
      // the length is of less than 64, and then twice itself
      if (hasTags) parts.push(Buffer.of(tag.length << 1), Buffer.from(tag, "latin1"));
      parts.push(int64(BigInt(intervals.length)));
      for (const [first, last] of intervals) parts.push(int64(first), int64(last + 1n));
    }
    return Buffer.concat(parts);
  }

  toString(): string {
    return [...this.#intervals]
      .map(([key, intervals]) => {
        const numbers = intervals.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`));
        return `${key}:${numbers.join(":")}`;
      })
      .join(",");
  }
}

/** Without a tag. */
const serverOf = (key: string): string => key.split(":", 1)[0] ?? "";

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

const partsOf = (text: string): readonly string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

function fail(): never {
  throw new Error("not a position of MariaDB or MySQL");
}
