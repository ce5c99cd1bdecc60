import type pg from "pg";
import { BaseQuery, type QueryCallback, type WireConnection } from "./base-query.ts";
import type { Preparation } from "./prepared-statements.ts";

/** A query that `pg` prepares under a name of ours, in the flush in which it is used. */
export class PreparedQuery extends BaseQuery {
  readonly #preparation: Preparation | undefined;

  /** @param preparation without one it is as `pg` makes it */
  constructor(
    query: string | pg.QueryConfig,
    values: readonly unknown[] | undefined,
    preparation: Preparation | undefined,
    callback: QueryCallback,
  ) {
    super(query, values, callback);
    this.#preparation = preparation;
    if (preparation !== undefined) this.name = preparation.name;
  }

  override prepare(connection: WireConnection): void {
    // the answer to a Close needs no Sync of its own, and of a name that nobody has it is no error
    if (this.#preparation !== undefined && !this.hasBeenParsed(connection)) {
      for (const name of this.#preparation.takeClosing()) connection.close({ type: "S", name });
    }
    super.prepare(connection);
  }
}
