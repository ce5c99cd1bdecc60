import type { FailoverPool, ReservedConnection } from "@mirrorpool/core";
import type { JoinedView, View } from "../dialect.ts";
import { codeOf, ViewLost } from "../faults.ts";
import type { ViewTicket } from "../fleet/unit.ts";
import type { Table } from "../model.ts";
import { ask, PATIENT } from "../querier.ts";
import { quoteTable, quoteText } from "./quote.ts";

/** Values have the same text on all servers; nothing ends a connection that waits its turn; no row is hidden. */
export const READER_SETTINGS: readonly string[] = [
  "SET LOCAL DateStyle = 'ISO, YMD'",
  "SET LOCAL IntervalStyle = 'postgres'",
  "SET LOCAL TimeZone = 'UTC'",
  "SET LOCAL extra_float_digits = 1",
  "SET LOCAL bytea_output = 'hex'",
  "SET LOCAL lc_monetary = 'C'",
  "SET LOCAL search_path = 'pg_catalog'",
  "SET LOCAL row_security = off",
  "SET LOCAL statement_timeout = 0",
  "SET LOCAL lock_timeout = '60s'",
  "SET LOCAL idle_in_transaction_session_timeout = 0",
];

const BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/** What a server says of a view that nobody has any more: an older one that it is invalid, a newer one that it does not exist. */
const GONE: ReadonlySet<string | undefined> = new Set(["22023", "42704", "55000"]);
/** Beyond these the server's lock table might not do. */
const MAX_LOCKS = 1000;

/**
 * One view of the source's data for any number of connections, all to the same node. One connection exports it and rests; the
 * others import it. Whoever has imported it may export it again: the view lives as long as any of them.
 */
export class Snapshot implements View {
  readonly #pool: FailoverPool;
  readonly node: string;
  #name: string;
  #holder: ReservedConnection;
  readonly #readers = new Set<ReservedConnection>();

  private constructor(pool: FailoverPool, holder: ReservedConnection, name: string) {
    this.#pool = pool;
    this.#holder = holder;
    this.node = holder.node;
    this.#name = name;
  }

  /** @param on where to look; a mirror spares the primary */
  static async open(pool: FailoverPool, on: "primary" | "mirror", signal: AbortSignal): Promise<Snapshot> {
    const holder = await pool.reserve({ on, signal });
    try {
      await holder.query([BEGIN, ...READER_SETTINGS].join("; "), undefined, { signal });
      return new Snapshot(pool, holder, await exportFrom(holder, signal));
    } catch (error) {
      holder.release();
      throw error;
    }
  }

  /** A view that a replication slot has made, for as long as the connection rests that made it. */
  static async take(pool: FailoverPool, node: string, name: string, signal: AbortSignal): Promise<Snapshot> {
    const holder = await begin(pool, node, name, signal);
    return new Snapshot(pool, holder, await exportFrom(holder, signal));
  }

  /** As long as {@link holder} lives. */
  get ticket(): ViewTicket {
    return { kind: "shared", node: this.node, name: this.#name };
  }

  /** The connection that rests: for short questions. */
  get holder(): ReservedConnection {
    return this.#holder;
  }

  get isAlive(): boolean {
    return this.#living() !== undefined;
  }

  #living(): ReservedConnection | undefined {
    if (this.#holder.isOpen) return this.#holder;
    for (const reader of this.#readers) if (reader.isOpen) return reader;
    return undefined;
  }

  /** Another connection with the same view. @throws {ViewLost} */
  async reader(signal: AbortSignal): Promise<ReservedConnection> {
    for (;;) {
      const exporter = this.#living();
      if (exporter === undefined) throw new ViewLost(undefined);
      try {
        if (exporter !== this.#holder) {
          this.#name = await exportFrom(exporter, signal);
          this.#holder = exporter;
        }
        const reader = await begin(this.#pool, this.node, this.#name, signal);
        this.#readers.add(reader);
        return reader;
      } catch (error) {
        signal.throwIfAborted();
        // lost in that moment, which may not be known here yet: another one may have it
        if (saysGone(error)) await exporter.query("SELECT", [], { ...PATIENT, signal }).catch(() => {});
        if (exporter.isOpen) throw error;
      }
    }
  }

  /** Nobody changes or drops what is going to be read. */
  async lock(tables: readonly Table[], signal: AbortSignal): Promise<void> {
    if (tables.length === 0 || tables.length > MAX_LOCKS) return;
    const names = tables.map((table) => `${table.isPartitioned ? "" : "ONLY "}${quoteTable(table)}`).join(", ");
    await this.#holder.query(`LOCK TABLE ${names} IN ACCESS SHARE MODE`, undefined, { ...PATIENT, signal });
  }

  close(): void {
    for (const reader of this.#readers) reader.release();
    this.#holder.release();
  }
}

const saysGone = (error: unknown): boolean => GONE.has(codeOf(error));

async function exportFrom(connection: ReservedConnection, signal: AbortSignal): Promise<string> {
  const [row] = await ask<{ name: string }>(connection, "SELECT pg_export_snapshot() AS name", [], signal);
  return row?.name ?? "";
}

async function begin(pool: FailoverPool, node: string, name: string, signal: AbortSignal): Promise<ReservedConnection> {
  const reader = await pool.reserve({ on: { node }, signal });
  try {
    const text = [BEGIN, `SET TRANSACTION SNAPSHOT ${quoteText(name)}`, ...READER_SETTINGS].join("; ");
    await reader.query(text, undefined, { signal });
    return reader;
  } catch (error) {
    reader.release();
    throw error;
  }
}

/** Takes a view of another process over. @throws {ViewLost} where there is none any more */
export async function joinSnapshot(pool: FailoverPool, ticket: ViewTicket, signal: AbortSignal): Promise<JoinedView> {
  if (ticket.kind !== "shared") throw new ViewLost(undefined);
  const snapshot = await Snapshot.take(pool, ticket.node, ticket.name, signal).catch((error) => {
    // there is no such snapshot any more
    throw saysGone(error) || codeOf(error) === "NO_NODE" ? new ViewLost(undefined) : error;
  });
  return {
    get isAlive() {
      return snapshot.isAlive;
    },
    reader: async (until) => ({ connection: await snapshot.reader(until), isSame: true }),
    close: () => snapshot.close(),
  };
}
