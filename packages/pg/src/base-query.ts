import pg from "pg";

/** What of `pg`'s query and connection is used beyond their published types; the same in every version since 8.16. */
export interface WireConnection {
  parse(message: { readonly text: string; readonly name?: string; readonly types?: readonly number[] }): void;
  bind(message: Record<string, unknown>): void;
  execute(message: { readonly portal?: string; readonly rows?: number }): void;
  close(message: { readonly type: "S"; readonly name: string }): void;
  sync(): void;
}

interface QueryInternals {
  name: string | undefined;
  prepare(connection: WireConnection): void;
  hasBeenParsed(connection: WireConnection): unknown;
  handleCommandComplete(message: { readonly text: string }, connection: WireConnection): void;
  requiresPreparation(): boolean;
  /** Sends the execution, and what ends the flush. */
  _getRows(connection: WireConnection, rows: number | undefined): void;
}

export type QueryCallback = (error: unknown, result: pg.QueryResult) => void;

/** `pg`'s own query, to be extended. */
export const BaseQuery = pg.Query as unknown as new (
  query: string | pg.QueryConfig,
  values: readonly unknown[] | undefined,
  callback: QueryCallback,
) => QueryInternals & pg.Submittable;
