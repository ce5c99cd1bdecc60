import type { Statement } from "@mirrorpool/core";
import type { WireConnection } from "./base-query.ts";
import { PreparedQuery } from "./prepared-query.ts";

const WITH_COMMIT = Symbol("with COMMIT");

/** A statement that the COMMIT goes with. Ours alone: no application's statement has the mark. */
export const withCommit = (statement: Statement): Statement => Object.assign({ [WITH_COMMIT]: true }, statement);

export const isWithCommit = (statement: Statement): boolean => WITH_COMMIT in statement;

/** One statement and a COMMIT in a single flush, and the answer of the statement: where that fails the server passes over the COMMIT. */
export class CommitQuery extends PreparedQuery {
  #isAnswered = false;

  /** Always by the extended protocol: of a simple query the COMMIT would be a part of the text. */
  override requiresPreparation(): boolean {
    return true;
  }

  override _getRows(connection: WireConnection): void {
    connection.execute({});
    connection.parse({ text: "COMMIT" });
    connection.bind({});
    connection.execute({});
    connection.sync();
  }

  override handleCommandComplete(message: { readonly text: string }, connection: WireConnection): void {
    if (!this.#isAnswered) super.handleCommandComplete(message, connection);
    this.#isAnswered = true;
  }
}
