import pg from "pg";

/** What of `pg`'s query and connection is used beyond their published types; the same in every version since 8.16. */
interface WireConnection {
  parse(message: { readonly text: string; readonly name?: string; readonly types?: readonly number[] }): void;
  bind(message: Record<string, unknown>): void;
  execute(message: { readonly portal?: string; readonly rows?: number }): void;
}

interface QueryInternals {
  prepare(connection: WireConnection): void;
  handleCommandComplete(message: { readonly text: string }, connection: WireConnection): void;
  requiresPreparation(): boolean;
}

const BaseQuery = pg.Query as unknown as new (
  config: pg.QueryConfig,
  values: undefined,
  callback: (error: unknown, result: pg.QueryResult) => void,
) => QueryInternals & pg.Submittable;

/**
 * BEGIN and one statement in a single flush, and the answer of the statement alone. The transaction is left open: so the
 * result is in hand before its COMMIT can be in doubt, at the cost of no round trip.
 */
export class BeginQuery extends BaseQuery {
  #hasBegun = false;

  constructor(config: pg.QueryConfig, callback: (error: unknown, result: pg.QueryResult) => void) {
    super({ ...config }, undefined, callback);
  }

  /** Always by the extended protocol: a simple query could not follow in the same flush. */
  override requiresPreparation(): boolean {
    return true;
  }

  override prepare(connection: WireConnection): void {
    connection.parse({ text: "BEGIN" });
    connection.bind({});
    connection.execute({});
    super.prepare(connection);
  }

  override handleCommandComplete(message: { readonly text: string }, connection: WireConnection): void {
    if (this.#hasBegun) super.handleCommandComplete(message, connection);
    else this.#hasBegun = true;
  }
}
