import type { Statement } from "@mirrorpool/core";
import type mysql from "mysql2";
import type { Client } from "./client.ts";
import { CommandChannel } from "./command-channel.ts";
import { listenersOf, localFile } from "./local-file.ts";
import type { Callback } from "./pipeline.ts";
import { RowChannel } from "./row-channel.ts";

/**
 * What belongs to us; the rest of a statement's fields are `mysql2`'s own options of a query. `sql` is the text with its values,
 * where whoever made the statement has put them in.
 */
const OURS: ReadonlySet<string> = new Set([
  ...["text", "values", "sql", "written", "channel", "execute", "own", "holder", "timeout", "namedPlaceholders"],
]);

/** With its values; where these change what it is, the text has them already, and `written` is what the application wrote. */
export function format(client: Client, statement: Statement, text: string): string {
  const written = statement["written"] as Pick<Statement, "text" | "values"> | undefined;
  return client.format(written?.text ?? text, written?.values ?? statement.values ?? []);
}

/** Hands a statement to the client, which puts its values in where `sql` does not have them. */
export function submit(client: Client, statement: Statement, callback: Callback): void {
  const { channel } = statement;
  if (channel instanceof CommandChannel) {
    channel.attempt(client, callback);
    return;
  }
  if (isBare(statement)) {
    // as it would be without us: an object of options costs the library as much as all else that it does with a statement
    client.query(statement.text, (statement.values ?? NO_VALUES) as unknown[], callback);
    return;
  }
  const query = queryOf(statement);
  const isPrepared = statement["execute"] === true;
  const { infileStreamFactory: factory } = statement;
  let told = callback;
  if (typeof factory === "function") {
    // a file that was read in part is not to be read again
    const open = (path: unknown): unknown => {
      if (channel instanceof RowChannel) channel.open();
      return localFile(() => factory(path));
    };
    Object.assign(query, { infileStreamFactory: open });
    const letGo = listenersOf(client);
    told = (...given) => {
      letGo();
      callback(...given);
    };
  }
  if (!(channel instanceof RowChannel)) {
    if (isPrepared) client.execute(query, told);
    else client.query(query, told);
    return;
  }
  channel.attempt(client, isPrepared ? client.execute(query) : client.query(query), told);
}

/** An array, whatever it holds, keeps the library from looking for named placeholders. */
const NO_VALUES: readonly unknown[] = Object.freeze([]);

/** Nothing but a text and its values. */
function isBare(statement: Statement): boolean {
  for (const name in statement) if (name !== "text" && name !== "values" && name !== "holder") return false;
  return true;
}

/** As `mysql2` takes it. */
function queryOf(statement: Statement): mysql.QueryOptions {
  const query: Record<string, unknown> = { ...textOf(statement), namedPlaceholders: false };
  // most have nothing but these two
  for (const name in statement) {
    if (name !== "text" && name !== "values" && !OURS.has(name)) query[name] = statement[name];
  }
  return query as unknown as mysql.QueryOptions; // it has `sql`
}

/** The text that is sent, and the values that `mysql2` is to put into it, or to send with it. */
function textOf(statement: Statement): { readonly sql: string; readonly values: unknown } {
  const { sql, written, values = [] } = statement;
  // sent only after another answer
  if (statement["execute"] === true) return { sql: (sql as string | undefined) ?? statement.text, values: [...values] };
  if (typeof sql === "string") return { sql, values: [] };
  const { text, values: given = [] } = (written ?? statement) as Pick<Statement, "text" | "values">;
  return { sql: text, values: given };
}
