import { type PoolSession, renew } from "@mirrorpool/core";
import { type QueryObject, submit } from "@mirrorpool/pg";
import type { CompiledQuery, DatabaseConnection, PostgresCursorConstructor, QueryResult } from "kysely";

/** Commands whose count is of rows that they changed. */
const CHANGES: ReadonlySet<string> = new Set(["INSERT", "UPDATE", "DELETE", "MERGE"]);

const NO_CURSOR =
  "stream() needs pg-cursor: mirroredPostgres(…, { cursor: Cursor }), where Cursor is the class of the package pg-cursor";

/** What Kysely holds: a session of the pool, which has no connection of its own until a statement needs one. */
export class MirroredConnection implements DatabaseConnection {
  readonly #session: PoolSession;
  readonly #cursor: PostgresCursorConstructor | undefined;

  constructor(session: PoolSession, cursor: PostgresCursorConstructor | undefined) {
    this.#session = session;
    this.#cursor = cursor;
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, rowCount, command } = await this.#session.query<R>(sql, parameters);
    return CHANGES.has(command) ? { rows, numAffectedRows: BigInt(rowCount ?? 0) } : { rows };
  }

  async *streamQuery<R>({ sql, parameters }: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
    if (this.#cursor === undefined) throw new Error(NO_CURSOR);
    const cursor = new this.#cursor<R>(sql, [...parameters]);
    const ended = submit(this.#session, cursor as typeof cursor & QueryObject & { readonly text: string });
    try {
      for (;;) {
        const rows = await cursor.read(chunkSize);
        if (rows.length === 0) return;
        yield { rows };
      }
    } finally {
      await cursor.close();
      await ended;
    }
  }

  /** Runs a statement of transaction control. @returns the command that the server says it has carried out */
  async command(sql: string): Promise<string> {
    return (await this.#session.query(sql)).command;
  }

  /** Kysely's `cancel query`: asks the very server that runs the statement. */
  async cancelQuery(): Promise<void> {
    this.#session.interrupt(new Error("Kysely's cancel query"));
  }

  /** Kysely's `kill session`: the statement ends, and with it its connection, the transaction and the locks. */
  async killSession(): Promise<void> {
    this.#session.interrupt(new Error("Kysely's kill session"));
    this.#session.release("destroy");
  }

  renew(): boolean {
    return renew(this.#session);
  }

  release(): void {
    this.#session.release();
  }
}
