import { Socket } from "node:net";
import pg from "pg";
import type { Site } from "../cluster/engine.ts";
import type { Ask, Login } from "../cluster/login.ts";

/**
 * Runs `work` on one new connection and closes that, whatever happens. Errors are those of the `pg` library, or
 * the reason of `signal`, which breaks the connection.
 */
export async function withConnection<T>(login: Login, work: (ask: Ask) => Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const socket = new Socket();
  const client = new pg.Client({
    ...login,
    stream: () => socket,
    ssl: false,
    application_name: "mirrorpool-lab",
  });
  // a server that dies later must not end this process; whatever is asked next then fails
  client.on("error", () => {});
  const onAbort = () => socket.destroy(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await client.connect();
    return await work(async <R extends object>(sql: string, params?: readonly unknown[]) => {
      const { rows } = await (params === undefined ? client.query(sql) : client.query(sql, [...params]));
      // only the caller knows the columns of its statement
      return rows as R[];
    });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", onAbort);
    // says goodbye, but does not wait for a server that no longer answers
    client.end().catch(() => {});
    socket.destroySoon();
  }
}

/** How the lab's superuser logs in, past the proxy. */
export function adminLogin({ host, directPort, superuser, plan }: Site): Login {
  return { host, port: directPort, ...superuser, database: plan.database };
}

/** A URL that every driver takes. */
export function formatUrl({ host, port, user, password, database }: Login): string {
  const authority = `${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}`;
  return `postgresql://${authority}/${encodeURIComponent(database)}`;
}

/** A string as an SQL literal. */
export function quoteLiteral(text: string): string {
  return text.includes("\\") ? `E'${text.replaceAll(/['\\]/g, "\\$&")}'` : `'${text.replaceAll("'", "''")}'`;
}

/** A string as an SQL identifier. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
