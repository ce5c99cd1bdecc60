import { type PoolSession, type Result, renew } from "@mirrorpool/core";
import { readRows } from "@mirrorpool/mysql2";
import type { CompiledQuery, DatabaseConnection, QueryResult } from "kysely";

/** Commands whose count is of rows that they changed. */
const CHANGES: ReadonlySet<string> = new Set(["INSERT", "UPDATE", "DELETE", "REPLACE"]);

/** What Kysely holds: a session of the pool, which has no connection of its own until a statement needs one. */
export class MirroredMysqlConnection implements DatabaseConnection {
  readonly #session: PoolSession;

  constructor(session: PoolSession) {
    this.#session = session;
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    return toQueryResult(await this.#session.query<R>(sql, parameters));
  }

  async *streamQuery<R>({ sql, parameters }: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
    let rows: R[] = [];
    for await (const row of readRows(this.#session, sql, parameters)) {
      rows.push(row);
      if (rows.length < chunkSize) continue;
      yield { rows };
      rows = [];
    }
    if (rows.length > 0) yield { rows };
  }

  /** Runs a statement of transaction control. */
  async command(sql: string): Promise<void> {
    await this.#session.query(sql);
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

function toQueryResult<R>(result: Result<R>): QueryResult<R> {
  const { rows, rowCount, command, insertId } = result;
  if (!CHANGES.has(command)) return { rows };
  const changed = changedRowsOf(result);
  return {
    rows,
    numAffectedRows: BigInt(rowCount ?? 0),
    ...(insertId !== undefined && { insertId: BigInt(insertId as number | string) }),
    ...(changed !== undefined && { numChangedRows: BigInt(changed) }),
  };
}

/** As the library says it. */
function changedRowsOf(result: Result<unknown>): number | undefined {
  const [header] = ((result as { readonly answer?: readonly unknown[] }).answer ?? []) as [{ changedRows?: number }?];
  return header?.changedRows;
}
