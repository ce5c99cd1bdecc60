import postgres from "postgres";
import type { Answer, Peer, PeerOptions } from "./query.ts";

const CLOSE_SECONDS = 1;

/** Looks for the primary among its addresses where it has several; pipelines, and prepares every statement, as by default. */
export function openPostgresJs({ urls, max }: PeerOptions): Peer {
  const hosts = urls.map((url) => new URL(url).host).join(",");
  const { username, password, pathname } = new URL(urls[0] ?? "");
  const sql = postgres(`postgres://${username}:${password}@${hosts}${pathname}`, {
    max,
    ...(urls.length > 1 && { target_session_attrs: "read-write" as const }),
    onnotice: () => {},
  });
  return {
    name: "postgres.js",
    async query<Row>(text: string, values: unknown[] = []): Promise<Answer<Row>> {
      // what its tagged template makes of a statement
      const rows = await sql.unsafe(text, values as postgres.ParameterOrJSON<never>[], { prepare: true });
      return { rows: rows as unknown as Row[], rowCount: rows.count };
    },
    [Symbol.asyncDispose]: () => sql.end({ timeout: CLOSE_SECONDS }),
  };
}
