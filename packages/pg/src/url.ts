import type { NodeAddress } from "@mirrorpool/core";
import { parse } from "pg-connection-string";

/** Settings that have a field of their own in the address. */
const OWN_FIELDS = new Set(["host", "port", "database", "user", "password", "ssl"]);

/** A URL that names several hosts, as libpq takes them: what comes before them, the list, and what follows. */
export const LIST_OF_HOSTS: RegExp = /^(postgres(?:ql)?:\/\/(?:[^/?#]*@)?)([^/?#@]*,[^/?#@]*)((?:[/?#].*)?)$/is;

/**
 * Reads a `postgres://` URL as `pg` itself does; what it holds besides the address is passed on to `pg`.
 * @throws {Error} with a rule as its message, never with any part of the URL
 */
export function parseUrl(url: string): NodeAddress {
  if (!/^postgres(ql)?:\/\//i.test(url)) throw new Error("a URL that begins with postgres:// or postgresql://");
  if (LIST_OF_HOSTS.test(url)) throw new Error("a URL with one host: each node is an entry of its own in `nodes`");
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(url);
  } catch {
    // the parser's message may quote the URL, and with it the password
    throw new Error("a valid PostgreSQL URL, special characters in user and password percent-encoded");
  }
  const port = parsed.port ? Number(parsed.port) : 5432;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error("a port from 1 to 65535");
  if (!parsed.host) throw new Error("a URL with a host");
  const parameters = Object.entries(parsed).filter(([key, value]) => !OWN_FIELDS.has(key) && typeof value === "string");
  return {
    host: parsed.host,
    port,
    database: parsed.database ?? undefined,
    user: parsed.user,
    password: parsed.password,
    tls: parsed.ssl,
    parameters: Object.fromEntries(parameters) as Record<string, string>, // filtered above
  };
}
