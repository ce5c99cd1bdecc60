import type { Driver } from "@mirrorpool/core";
import type { ServerKind } from "@mirrorpool/lab";
import type { Contestant } from "../failover/contestants.ts";
import type { Orm } from "../orms/orm.ts";
import type { Peer, PeerOptions } from "../peers/query.ts";

/** A database system, with what people use there. */
export interface System {
  readonly kind: ServerKind;
  /** As reports call it. */
  readonly title: string;
  /** Further settings of its servers: nothing runs by itself while we measure. */
  readonly settings: Readonly<Record<string, string>>;
  driver(): Driver;
  /** How a statement names its first value, and its second one. */
  readonly values: readonly [first: string, second: string];
  /** What stands behind the columns of a table: room on each page, so that updates stay there and the table does not grow. */
  readonly roomy: string;
  /** An expression that takes so many seconds, which are an expression themselves. */
  sleep(seconds: number | string): string;
  /** An expression for a number from 0 to 1 by chance. */
  readonly random: string;
  /** Brings the planner's statistics of a table up to date. */
  analyze(table: string): string;
  /** Other pools; the first one is what all are compared with. */
  peers(options: PeerOptions): Peer[];
  readonly orms: readonly Orm[];
  readonly failover: FailoverParts;
}

/** What the loss of a primary is measured with. */
interface FailoverParts {
  /**
   * The tables: `event` (token, server), of which the server fills in its own port, and `promoted`, of which any row may be written.
   * Made by a superuser.
   */
  readonly tables: readonly string[];
  /** Writes a row of `promoted`. */
  readonly writePromoted: string;
  /** One connection of the bare library; what it fails with leaves it open. */
  connect(url: string): Promise<Pick<Peer, "query"> & AsyncDisposable>;
  /** What else people take. */
  readonly peers: readonly Contestant[];
}

/** `(1, 0), (2, 0), ...` in a few statements, on any system. */
export async function insertRows(
  { query }: Pick<Peer, "query">,
  into: string,
  rows: number,
  rest: string,
): Promise<void> {
  const each = 10_000;
  for (let first = 1; first <= rows; first += each) {
    const length = Math.min(each, rows - first + 1);
    const values = Array.from({ length }, (_, index) => `(${first + index}, ${rest})`);
    await query(`INSERT INTO ${into} VALUES ${values.join(", ")}`);
  }
}
