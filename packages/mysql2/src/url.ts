import type { NodeAddress } from "@mirrorpool/core";

/** Settings that have a field of their own in the address. */
const OWN_FIELDS = new Set(["host", "port", "database", "user", "password", "ssl", "uri", "socketPath"]);

/**
 * Reads a `mysql://` or `mariadb://` URL; what its query string holds besides `ssl` is passed on to `mysql2`.
 * @throws {Error} with a rule as its message, never with any part of the URL
 */
export function parseUrl(url: string): NodeAddress {
  if (!/^(mysql|mariadb):\/\//i.test(url)) throw new Error("a URL that begins with mysql:// or mariadb://");
  if (/^\w+:\/\/(?:[^/?#]*@)?[^/?#@]*,[^/?#@]*(?:[/?#]|$)/.test(url))
    throw new Error("a URL with one host: each node is an entry of its own in `nodes`");
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    // the parser's message may quote the URL, and with it the password
    throw new Error("a valid URL, special characters in user and password percent-encoded");
  }
  if (parsed.hostname === "") throw new Error("a URL with a host");
  const port = parsed.port === "" ? DEFAULT_PORT : Number(parsed.port);
  if (port < 1) throw new Error("a port from 1 to 65535");
  const parameters = [...parsed.searchParams].filter(([key]) => !OWN_FIELDS.has(key));
  const tls = parsed.searchParams.get("ssl");
  return {
    host: decoded(parsed.hostname).replace(/^\[|\]$/g, ""),
    port,
    database: decoded(parsed.pathname.slice(1)) || undefined,
    user: decoded(parsed.username) || undefined,
    password: decoded(parsed.password) || undefined,
    tls: tls === null ? undefined : fromText(tls),
    parameters: Object.fromEntries(parameters),
  };
}

export const DEFAULT_PORT = 3306;

/** A setting of a URL as `mysql2` reads it: JSON where it is that, else text. */
export function fromText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error("a valid URL, special characters in user and password percent-encoded");
  }
}
