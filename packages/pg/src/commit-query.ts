import type { Statement } from "@mirrorpool/core";
import type { QueryCallback, WireConnection } from "./base-query.ts";
import { PreparedQuery } from "./prepared-query.ts";
import type { Preparation } from "./prepared-statements.ts";

const ENDING = Symbol("ending");

/** What ends the transaction in the same flush as the statement. Ours alone: no application's statement has it. */
export const endingOf = (statement: Statement): string | undefined =>
  (statement as { readonly [ENDING]?: string })[ENDING];

/** A statement that the COMMIT goes with. */
export const withCommit = (statement: Statement): Statement => Object.assign({ [ENDING]: "COMMIT" }, statement);

/** One statement and a COMMIT in a single flush: where the statement fails the server passes over the COMMIT. */
export class CommitQuery extends PreparedQuery {
  readonly #commit: string;
  #isAnswered = false;

  constructor(
    text: string,
    values: readonly unknown[],
    commit: string,
    preparation: Preparation | undefined,
    callback: QueryCallback,
  ) {
    super(text, values, preparation, callback);
    this.#commit = commit;
  }

  override requiresPreparation(): boolean {
    return true;
  }

  override _getRows(connection: WireConnection): void {
    connection.execute({});
    connection.parse({ text: this.#commit });
    connection.bind({});
    connection.execute({});
    connection.sync();
  }

  override handleCommandComplete(message: { readonly text: string }, connection: WireConnection): void {
    if (!this.#isAnswered) super.handleCommandComplete(message, connection);
    this.#isAnswered = true;
  }
}
