import type { FailoverPool, ReservedConnection } from "@mirrorpool/core";
import type { JoinedReader, JoinedView } from "../dialect.ts";
import { codeOf, ViewLost } from "../faults.ts";
import type { ViewTicket } from "../fleet/unit.ts";
import type { Flavor } from "./settings.ts";
import { beginAlone } from "./snapshot.ts";

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
      const place = await beginAlone(connection, this.#flavor, signal);
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
