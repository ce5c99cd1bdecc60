import type { FailoverPool, ReservedConnection } from "@mirrorpool/core";
import type { View } from "../../dialect.ts";
import { JobError } from "../../errors.ts";
import { ChangesLost, numberOf } from "../../faults.ts";
import { createGtids } from "../../mysql/binlog/gtids.ts";
import { readShapes, type Shapes } from "../../mysql/binlog/shape.ts";
import type { Flavor } from "../../mysql/settings.ts";
import { Snapshot } from "../../mysql/snapshot.ts";
import type { Pair } from "../../pair-tables.ts";
import { onPrimary, type Querier } from "../../querier.ts";
import {
  type ChangeSource,
  type ChangeStream,
  type Lag,
  type SourceConnection,
  type Start,
  StreamBroken,
} from "../change-source.ts";
import { Changes } from "./changes.ts";
import { EndWatch } from "./end-watch.ts";
import { lagOf } from "./lag.ts";
import { Layout } from "./layout.ts";
import { decideStart, formatPosition, parsePosition } from "./position.ts";
import { differenceOf, readEnd, readLog } from "./source-log.ts";

export interface MysqlSourceSetting {
  readonly from: FailoverPool;
  readonly pairs: readonly Pair[];
  readonly flavor: Flavor;
  /** Readers of a view. */
  readonly connections: number;
  /** Most bytes of changes that wait in memory. */
  readonly maxBytes: number;
}

/** "Got fatal error from master when reading data from binary log": it has not, or no longer, what was asked for. */
const NOT_IN_LOG = 1236;

/** A MariaDB or MySQL by its binary log, from GTID to GTID. */
export class MysqlSource implements ChangeSource {
  readonly #setting: MysqlSourceSetting;
  readonly #isMariadb: boolean;
  readonly #tables: ReadonlySet<string>;
  readonly #watch: EndWatch;
  /** Of the tables' shapes. */
  #shape: string | undefined;
  /** Why the log did not go on from the position. */
  #failure: string | undefined;

  constructor(setting: MysqlSourceSetting) {
    this.#setting = setting;
    this.#isMariadb = setting.flavor === "mariadb";
    this.#tables = new Set(setting.pairs.map(({ source }) => source.name));
    this.#watch = new EndWatch(setting.from, this.#isMariadb);
  }

  async connect(signal: AbortSignal): Promise<SourceConnection> {
    const connection = await this.#setting.from.reserve({ on: "primary", signal });
    try {
      const { database, shapes } = await this.#look(connection, signal);
      return {
        node: connection.node,
        examine: (kept) => this.#examine(connection, kept, signal),
        stream: (position) => this.#stream(connection, { database, shapes, position }, signal),
        release: () => connection.release(),
      };
    } catch (error) {
      connection.release();
      throw error;
    }
  }

  /** @throws {JobError} `DDL_ON_SOURCE` where a followed table is another one than before */
  async #look(on: Querier, signal: AbortSignal): Promise<{ readonly database: string; readonly shapes: Shapes }> {
    const { database, shapes, fingerprint } = await readShapes(on, this.#tables, signal);
    const difference = differenceOf(this.#setting.pairs, shapes);
    const isOther = this.#shape !== undefined && this.#shape !== fingerprint;
    if (difference !== undefined || isOther) {
      const what = difference ?? "a followed table of the source was changed";
      const message = `${what}. Change the target's table in the same way and follow again: it goes on by what differs`;
      throw new JobError("DDL_ON_SOURCE", message, { resumable: true });
    }
    this.#shape = fingerprint;
    return { database, shapes };
  }

  async #examine(connection: ReservedConnection, kept: string, signal: AbortSignal): Promise<Start> {
    const position = parsePosition(kept);
    const log = await readLog(connection, this.#isMariadb, signal);
    const start = decideStart(position, { ...log, shape: this.#shape as string }, this.#failure);
    this.#failure = undefined;
    if (start.type !== "continue") return start;
    // where that was in the log of another server says nothing
    return { type: "continue", position: formatPosition({ ...position, place: undefined }) };
  }

  async #stream(
    connection: ReservedConnection,
    { database, shapes, position }: { readonly database: string; readonly shapes: Shapes; readonly position: string },
    signal: AbortSignal,
  ): Promise<ChangeStream> {
    const { pairs, maxBytes, from } = this.#setting;
    const layouts = new Map(
      pairs.map((pair) => [pair.source.name, new Layout(pair, shapes.get(pair.source.name) ?? [])] as const),
    );
    const look = async (): Promise<void> => {
      await this.#look(onPrimary(from), signal);
    };
    const stream = await Changes.open(connection, {
      isMariadb: this.#isMariadb,
      from: parsePosition(position),
      database,
      layouts,
      maxBytes,
      signal,
      onDefinition: look,
      onOtherShape: async (table) => {
        await look();
        throw this.#broken(`the log has rows of the time before ${table} was changed`);
      },
      explain: (error) =>
        numberOf(error) === NOT_IN_LOG
          ? this.#broken("the source does not have, or no longer has, what follows the position")
          : error,
      onClose: () => this.#watch.stop(),
    });
    // a primary that has handed over sends on what it gets as a mirror, and nobody would notice when it gets no more
    this.#watch.start(connection.node, () => stream.end(new ChangesLost("the source has another primary")));
    return stream;
  }

  #broken(reason: string): StreamBroken {
    this.#failure = reason;
    return new StreamBroken(reason);
  }

  async openView(signal: AbortSignal): Promise<{ readonly view: View; readonly position: string }> {
    const { from, connections, flavor } = this.#setting;
    // one more than there are workers: it reads what they have found
    const view = await Snapshot.openWithPosition(from, connections + 1, flavor, signal);
    try {
      await this.#look(view.holder, signal);
      const { gtids } = view;
      return { view, position: formatPosition({ gtids, shape: this.#shape as string, place: undefined }) };
    } catch (error) {
      view.close();
      throw error;
    }
  }

  readEnd(signal: AbortSignal): Promise<string> {
    return readEnd(onPrimary(this.#setting.from), this.#isMariadb, signal);
  }

  reaches(position: string, end: string): boolean {
    return createGtids(this.#isMariadb, parsePosition(position).gtids).covers(end);
  }

  lag(position: string): Lag {
    return lagOf(this.#isMariadb, position, this.#watch);
  }

  show(position: string): string {
    return parsePosition(position).gtids;
  }

  isTaken(): boolean {
    return false;
  }

  // nothing is kept for anybody
  async forget(): Promise<void> {}
}
