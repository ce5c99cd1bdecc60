import type { FailoverPool, ReservedConnection } from "@mirrorpool/core";
import type { View } from "../../dialect.ts";
import { codeOf } from "../../faults.ts";
import type { Pair } from "../../pair-tables.ts";
import { formatLsn, type Lsn, parseLsn } from "../../postgres/pgoutput.ts";
import { dropPublication, dropSlot, openReplication, settlePublication } from "../../postgres/slot.ts";
import { ask, PATIENT } from "../../querier.ts";
import type { ChangeSource, ChangeStream, Lag, SourceConnection, Start } from "../change-source.ts";
import { Changes } from "./changes.ts";
import { formatPosition, parsePosition } from "./position.ts";
import { Relations } from "./relations.ts";
import { examine, openSlotView, statusInterval } from "./slot-view.ts";

export interface PostgresSourceSetting {
  readonly from: FailoverPool;
  readonly pairs: readonly Pair[];
  /** Of slot and publication. */
  readonly name: string;
  /** Most bytes of changes that wait in memory. */
  readonly maxBytes: number;
}

/** A PostgreSQL by logical decoding, with a slot of its own. */
export class PostgresSource implements ChangeSource {
  readonly #setting: PostgresSourceSetting;
  /** As far as it has told. */
  #end: Lsn = 0n;

  constructor(setting: PostgresSourceSetting) {
    this.#setting = setting;
  }

  async connect(signal: AbortSignal): Promise<SourceConnection> {
    const { from, name, pairs } = this.#setting;
    const connection = await openReplication(from, signal);
    try {
      const tables = pairs.map(({ source }) => source);
      await from.transaction((on) => settlePublication(on, name, tables), { signal });
      return {
        node: connection.node,
        examine: (kept): Promise<Start> => examine(connection, name, parsePosition(kept)),
        stream: (position) => this.#stream(connection, position, signal),
        release: () => connection.release(),
      };
    } catch (error) {
      connection.release();
      throw error;
    }
  }

  async #stream(connection: ReservedConnection, position: string, signal: AbortSignal): Promise<ChangeStream> {
    const { from, name, pairs, maxBytes } = this.#setting;
    const statusMs = await statusInterval(connection);
    return new Changes(connection, {
      name,
      from: parsePosition(position),
      statusMs,
      maxBytes,
      relations: new Relations(from, pairs),
      signal,
      onEnd: (lsn) => {
        if (lsn > this.#end) this.#end = lsn;
      },
    });
  }

  async openView(signal: AbortSignal): Promise<{ readonly view: View; readonly position: string }> {
    const { view, position } = await openSlotView(this.#setting.from, this.#setting.name, signal);
    return { view, position: formatPosition(position) };
  }

  async readEnd(signal: AbortSignal): Promise<string> {
    const text = "SELECT pg_current_wal_flush_lsn()::text AS lsn";
    const options = { ...PATIENT, readOnly: true, signal };
    const [row] = await this.#setting.from.transaction((on) => ask<{ lsn: string }>(on, text, [], signal), options);
    return row?.lsn ?? "0/0";
  }

  reaches(position: string, end: string): boolean {
    return parsePosition(position).lsn >= parseLsn(end);
  }

  lag(position: string): Lag {
    const { lsn } = parsePosition(position);
    const isBehind = lsn < this.#end;
    return { isBehind, bytes: isBehind ? Number(this.#end - lsn) : 0 };
  }

  show(position: string): string {
    return formatLsn(parsePosition(position).lsn);
  }

  /** In use by a connection, which may be one that the source has not given up yet. */
  isTaken(error: unknown): boolean {
    return codeOf(error) === "55006";
  }

  async forget(signal: AbortSignal): Promise<void> {
    const { from, name } = this.#setting;
    const connection = await openReplication(from, signal);
    try {
      await dropSlot(connection, name);
    } finally {
      connection.release();
    }
    await dropPublication(from, name);
  }
}
