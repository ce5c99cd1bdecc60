import type { FailoverPool, ReservedConnection } from "@mirrorpool/core";
import type { SideDialect } from "../dialect.ts";
import { codeOf, ViewLost } from "../faults.ts";
import type { Catalog } from "../model.ts";
import { Snapshot } from "../postgres/snapshot.ts";
import type { ViewTicket } from "./unit.ts";

/** A view that nobody has asked for in so long is let go: it keeps its server from cleaning up. */
const IDLE_MS = 3000;

/** A view of another process, taken over by this one, with connections that wait for their next unit. */
interface JoinedView {
  readonly snapshot: Snapshot;
  readonly catalog: Catalog;
  readonly idle: ReservedConnection[];
}

interface Entry {
  readonly joining: Promise<JoinedView>;
  users: number;
  timer: NodeJS.Timeout | undefined;
}

/** Views of one pool, each joined once for all units that need it. */
export class JoinedViews {
  readonly #dialect: SideDialect;
  readonly #pool: FailoverPool;
  readonly #entries = new Map<string, Entry>();

  constructor(dialect: SideDialect, pool: FailoverPool) {
    this.#dialect = dialect;
    this.#pool = pool;
  }

  /** Lends a connection with the view for a piece of work. @throws {ViewLost} */
  async use<T>(
    ticket: ViewTicket,
    signal: AbortSignal,
    work: (reader: ReservedConnection, catalog: Catalog) => Promise<T>,
  ): Promise<T> {
    const key = JSON.stringify([ticket.node, ticket.name]);
    const entry = this.#entries.get(key) ?? { joining: this.#join(ticket, signal), users: 0, timer: undefined };
    this.#entries.set(key, entry);
    clearTimeout(entry.timer);
    entry.users += 1;
    let isWell = false;
    try {
      const { snapshot, catalog, idle } = await entry.joining;
      const open = idle.splice(0).filter(({ isOpen }) => isOpen);
      const reader = open.pop() ?? (await snapshot.reader(signal));
      idle.push(...open);
      try {
        const result = await work(reader, catalog);
        idle.push(reader);
        isWell = true;
        return result;
      } catch (error) {
        reader.release(); // whether its transaction still has the view is anybody's guess
        throw error;
      }
    } finally {
      entry.users -= 1;
      const isGone = !isWell && (await entry.joining.then(({ snapshot }) => !snapshot.isAlive).catch(() => true));
      if (isGone) this.#drop(key, entry);
      else if (entry.users === 0) entry.timer = setTimeout(() => this.#drop(key, entry), IDLE_MS).unref();
    }
  }

  async #join({ node, name }: ViewTicket, signal: AbortSignal): Promise<JoinedView> {
    try {
      const snapshot = await Snapshot.take(this.#pool, node, name, signal);
      try {
        return { snapshot, catalog: await this.#dialect.readCatalog(snapshot.holder, signal), idle: [] };
      } catch (error) {
        snapshot.close();
        throw error;
      }
    } catch (error) {
      // there is no such snapshot any more
      if (codeOf(error) === "22023" || codeOf(error) === "NO_NODE") throw new ViewLost(undefined);
      throw error;
    }
  }

  #drop(key: string, entry: Entry): void {
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
    clearTimeout(entry.timer);
    void entry.joining.then(({ snapshot }) => snapshot.close()).catch(() => {}); // what was never joined needs no end
  }

  close(): void {
    for (const [key, entry] of this.#entries) this.#drop(key, entry);
  }
}
