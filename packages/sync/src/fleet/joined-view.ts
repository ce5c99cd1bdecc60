import type { FailoverPool } from "@mirrorpool/core";
import type { JoinedReader, JoinedView, SideDialect } from "../dialect.ts";
import type { Catalog } from "../model.ts";
import type { ViewTicket } from "./unit.ts";

/** A view that nobody has asked for in so long is let go: it keeps its server from cleaning up. */
const IDLE_MS = 3000;

/** With connections that wait for their next unit. */
interface Joined {
  readonly view: JoinedView;
  readonly catalog: Catalog;
  readonly idle: JoinedReader[];
}

interface Entry {
  readonly joining: Promise<Joined>;
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
    work: (reader: JoinedReader, catalog: Catalog) => Promise<T>,
  ): Promise<T> {
    const key = JSON.stringify(ticket);
    const entry = this.#entries.get(key) ?? { joining: this.#join(ticket, signal), users: 0, timer: undefined };
    this.#entries.set(key, entry);
    clearTimeout(entry.timer);
    entry.users += 1;
    let isWell = false;
    try {
      const { view, catalog, idle } = await entry.joining;
      const open = idle.splice(0).filter(({ connection }) => connection.isOpen);
      const reader = open.pop() ?? (await view.reader(signal));
      idle.push(...open);
      try {
        const result = await work(reader, catalog);
        idle.push(reader);
        isWell = true;
        return result;
      } catch (error) {
        reader.connection.release(); // whether its transaction still has the view is anybody's guess
        throw error;
      }
    } finally {
      entry.users -= 1;
      const isGone = !isWell && (await entry.joining.then(({ view }) => !view.isAlive).catch(() => true));
      if (isGone) this.#drop(key, entry);
      else if (entry.users === 0) entry.timer = setTimeout(() => this.#drop(key, entry), IDLE_MS).unref();
    }
  }

  async #join(ticket: ViewTicket, signal: AbortSignal): Promise<Joined> {
    const view = await this.#dialect.joinView(this.#pool, ticket, signal);
    try {
      const first = await view.reader(signal);
      return { view, catalog: await this.#dialect.readCatalog(first.connection, signal), idle: [first] };
    } catch (error) {
      view.close();
      throw error;
    }
  }

  #drop(key: string, entry: Entry): void {
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
    clearTimeout(entry.timer);
    void entry.joining.then(({ view }) => view.close()).catch(() => {}); // what was never joined needs no end
  }

  close(): void {
    for (const [key, entry] of this.#entries) this.#drop(key, entry);
  }
}
