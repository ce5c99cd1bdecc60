import { connect as connectSocket } from "node:net";
import mysql from "mysql2";
import type { Site } from "../cluster/engine.ts";
import type { Ask, Login } from "../cluster/login.ts";

/**
 * Runs `work` on one new connection and closes that, whatever happens. Errors are those of the `mysql2` library, or the
 * reason of `signal`, which breaks the connection.
 */
export async function withConnection<T>(login: Login, work: (ask: Ask) => Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const socket = connectSocket(login.port, login.host);
  const onAbort = () => socket.destroy(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const { user, password, database } = login;
  // several statements at once, as PostgreSQL's simple protocol has them
  const connection = mysql.createConnection({ user, password, database, stream: socket, multipleStatements: true });
  // a server that dies later must not end this process; whatever is asked next then fails
  connection.on("error", () => {});
  try {
    await new Promise<void>((resolve, reject) => connection.connect((error) => (error ? reject(error) : resolve())));
    return await work(
      <R extends object>(sql: string, params?: readonly unknown[]) =>
        new Promise<readonly R[]>((resolve, reject) => {
          connection.query(sql, [...(params ?? [])], (error, result: unknown) => {
            if (error) reject(error);
            // only the caller knows the columns of its statement
            else resolve(lastRows(result) as readonly R[]);
          });
        }),
    );
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", onAbort);
    // says goodbye, but does not wait for a server that no longer answers
    connection.end(() => {});
    socket.destroySoon();
  }
}

/** The rows of a statement, or of the last one of several; none for a statement that has none. */
function lastRows(result: unknown): readonly unknown[] {
  if (!Array.isArray(result)) return [];
  const last: unknown = result.at(-1);
  const isSeveral = Array.isArray(last) || (typeof last === "object" && last !== null && "affectedRows" in last);
  return isSeveral ? lastRows(last) : result;
}

/** How the lab's superuser logs in: at the port that is kept for it. */
export function adminLogin({ host, directPort, extraPorts, superuser, plan }: Site): Login {
  return { host, port: extraPorts[0] ?? directPort, ...superuser, database: plan.database };
}

/** A URL that every driver takes. */
export function formatUrl({ host, port, user, password, database }: Login): string {
  const authority = `${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}`;
  return `mysql://${authority}/${encodeURIComponent(database)}`;
}

/** A string as an SQL literal. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll(/['\\]/g, "\\$&")}'`;
}

/** A string as an SQL identifier. */
export function quoteName(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}
