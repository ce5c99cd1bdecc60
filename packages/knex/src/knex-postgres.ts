import type { Transform } from "node:stream";
import { TransactionAbortedError } from "@mirrorpool/core";
import type { VirtualClient } from "@mirrorpool/pg";
import type { Knex } from "knex";
import knex from "knex";

/** A statement as Knex's dialect sends it; the answer is put into it. */
export interface SentQuery {
  readonly sql: string;
  readonly response?: { readonly command?: string };
}

/** What Knex's types leave out of its client. */
interface PostgresClient extends Knex.Client {
  initializePool(config?: Knex.Config): void;
  acquireConnection(): Promise<VirtualClient>;
  releaseConnection(connection: VirtualClient): Promise<void>;
  cancelQuery(connection?: VirtualClient): Promise<void>;
  setSchemaSearchPath(connection: VirtualClient): Promise<unknown>;
  destroy(callback: unknown): Promise<void>;
  _query(connection: VirtualClient, query: SentQuery): Promise<SentQuery>;
  _stream(connection: VirtualClient, query: SentQuery, stream: Transform, options: unknown): Promise<unknown>;
}

type Statics = Pick<typeof Knex.Client, keyof typeof Knex.Client>;

/** The client for PostgreSQL of the application's own Knex. */
export function knexPostgres(): Statics & (new (config: Knex.Config) => PostgresClient) {
  return knex({ client: "pg" }).client.constructor;
}

/** Knex does not look at what a COMMIT was answered with. @throws {TransactionAbortedError} when that is a rollback */
export function checkCommit(query: SentQuery): SentQuery {
  if (query.response?.command === "ROLLBACK" && /^\s*(commit|end)\b/i.test(query.sql))
    throw new TransactionAbortedError();
  return query;
}
