/** One transaction of MariaDB, `domain-server-number`. The numbers of a domain go on from server to server. */
interface Gtid {
  readonly server: string;
  readonly number: bigint;
}

/** For each domain the last known transaction of each server, the latest of all at the end. */
export type GtidList = ReadonlyMap<string, readonly Gtid[]>;

const GTID = /^(\d{1,10})-(\d{1,10})-(\d{1,20})$/;

/** Reads a list such as `0-1-100,0-2-105,1-3-7`. @throws {Error} for what is none */
export function parseGtidList(text: string): GtidList {
  const list = new Map<string, Gtid[]>();
  for (const part of text.split(",").map((each) => each.trim())) {
    if (part === "") continue;
    const match = GTID.exec(part);
    if (match === null) throw new Error("not a list of GTIDs");
    const [, domain, server, number] = match as unknown as [string, string, string, string]; // matched
    list.set(domain, [...(list.get(domain) ?? []), { server, number: BigInt(number) }]);
  }
  for (const gtids of list.values()) gtids.sort((a, b) => (a.number < b.number ? -1 : 1));
  return list;
}

/**
 * Whoever has the last transaction of a domain has all before it. A higher number of another server proves nothing: two servers
 * that were primary at the same time give the same numbers to different transactions.
 */
export function reaches(list: GtidList, other: GtidList): boolean {
  for (const [domain, gtids] of other) {
    const last = gtids.at(-1);
    if (last !== undefined && !has(list, domain, last)) return false;
  }
  return true;
}

/** Has everything that any server of the other list has written. */
export function includesAll(list: GtidList, other: GtidList): boolean {
  for (const [domain, gtids] of other) if (!gtids.every((gtid) => has(list, domain, gtid))) return false;
  return true;
}

/** The part of a list that one server has written. */
export function listOf(list: GtidList, server: string): GtidList {
  const own = [...list].map(([domain, gtids]) => [domain, gtids.filter((gtid) => gtid.server === server)] as const);
  return new Map(own.filter(([, gtids]) => gtids.length > 0));
}

function has(list: GtidList, domain: string, { server, number }: Gtid): boolean {
  return list.get(domain)?.some((each) => each.server === server && each.number >= number) === true;
}
