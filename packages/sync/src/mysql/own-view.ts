import { randomUUID } from "node:crypto";
import type { FailoverPool, ReservedConnection } from "@mirrorpool/core";
import type { JoinedReader, JoinedView, View } from "../dialect.ts";
import { codeOf, ViewLost } from "../faults.ts";
import type { ViewTicket } from "../fleet/unit.ts";
import { ask } from "./ask.ts";
import { type Flavor, readerSettings } from "./settings.ts";
import { readViewPlace } from "./view-place.ts";

/** A view of this process, of which others can tell whether theirs is the same. */
export async function withTicket(view: View, flavor: Flavor): Promise<View> {
  const place = await placeOf(view.holder, flavor).catch((error) => {
    view.close();
    throw error;
  });
  const ticket = { kind: "own", node: view.node, id: randomUUID(), place } as const;
  return {
    node: view.node,
    holder: view.holder,
    ticket,
    get isAlive() {
      return view.isAlive;
    },
    reader: (signal) => view.reader(signal),
    lock: (tables, signal) => view.lock(tables, signal),
    close: () => view.close(),
  };
}

/** Connections to the node of another process's view, each with a view of its own: the same one where nothing was written since. */
export class OwnView implements JoinedView {
  readonly isAlive = true;
  readonly #pool: FailoverPool;
  readonly #ticket: ViewTicket;
  readonly #flavor: Flavor;
  readonly #readers: ReservedConnection[] = [];

  constructor(pool: FailoverPool, ticket: ViewTicket, flavor: Flavor) {
    this.#pool = pool;
    this.#ticket = ticket;
    this.#flavor = flavor;
  }

  async reader(signal: AbortSignal): Promise<JoinedReader> {
    const ticket = this.#ticket;
    if (ticket.kind !== "own") throw new ViewLost(undefined);
    const connection = await this.#pool.reserve({ on: { node: ticket.node }, signal }).catch((error) => {
      throw codeOf(error) === "NO_NODE" ? new ViewLost(undefined) : error;
    });
    try {
      for (const text of [ISOLATION, readerSettings(this.#flavor), BEGIN])
        await connection.query(text, undefined, { signal });
      const place = await placeOf(connection, this.#flavor);
      this.#readers.push(connection);
      return { connection, isSame: place !== null && place === ticket.place };
    } catch (error) {
      connection.release();
      throw error;
    }
  }

  close(): void {
    for (const reader of this.#readers) reader.release();
  }
}

const ISOLATION = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ";
const BEGIN = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";

/** Where in its node's binary log a snapshot is; null where the server does not tell. A mirror that does not log would always tell the same. */
async function placeOf(on: ReservedConnection, flavor: Flavor): Promise<string | null> {
  if (flavor !== "mariadb") return null;
  const [row] = await ask<{ logs: string }>(on, "SELECT @@log_bin AND @@log_slave_updates AS logs");
  if (row?.logs !== "1") return null;
  const place = await readViewPlace(on);
  return place === undefined ? null : `${place.file}:${place.offset}`;
}
