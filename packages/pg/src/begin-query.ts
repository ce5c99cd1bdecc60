import type pg from "pg";
import type { QueryCallback, WireConnection } from "./base-query.ts";
import { PreparedQuery } from "./prepared-query.ts";
import type { Preparation } from "./prepared-statements.ts";

/**
 * A BEGIN and one statement in a single flush, and the answer of the statement alone. The transaction is left open: so the
 * result is in hand before its COMMIT can be in doubt, at the cost of no round trip.
 */
export class BeginQuery extends PreparedQuery {
  readonly #begin: string;
  #hasBegun = false;

  constructor(
    begin: string,
    query: string | pg.QueryConfig,
    values: readonly unknown[] | undefined,
    preparation: Preparation | undefined,
    callback: QueryCallback,
  ) {
    super(query, values, preparation, callback);
    this.#begin = begin;
  }

  /** Always by the extended protocol: a simple query could not follow in the same flush. */
  override requiresPreparation(): boolean {
    return true;
  }

  override prepare(connection: WireConnection): void {
    connection.parse({ text: this.#begin });
    connection.bind({});
    connection.execute({});
    super.prepare(connection);
  }

  override handleCommandComplete(message: { readonly text: string }, connection: WireConnection): void {
    if (this.#hasBegun) super.handleCommandComplete(message, connection);
    else this.#hasBegun = true;
  }
}
