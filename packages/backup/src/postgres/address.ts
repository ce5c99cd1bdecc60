import type { NodeOptions, PoolSource } from "@mirrorpool/core";

/**
 * The URL of a node, for a program that logs in by itself. A pool that was given tells nobody its passwords: undefined.
 * @param name as the pool calls it
 */
export async function urlOf(source: PoolSource, name: string): Promise<string | undefined> {
  if (!("nodes" in source)) return undefined;
  for (const node of source.nodes) {
    const options: NodeOptions = typeof node === "string" ? { url: node } : node;
    const fromUrl = options.url === undefined ? undefined : source.driver.parseUrl(options.url);
    const host = options.host ?? fromUrl?.host ?? "";
    const port = options.port ?? fromUrl?.port ?? source.driver.defaultPort;
    if ((options.name ?? `${host}:${port}`) !== name) continue;
    const given = options.password ?? fromUrl?.password;
    const password = typeof given === "function" ? await given() : given;
    // its query string holds what libpq has to know, such as sslmode
    const query = options.url === undefined ? "" : (/\?.*$/s.exec(options.url)?.[0] ?? "");
    const user = options.user ?? fromUrl?.user;
    const database = options.database ?? fromUrl?.database;
    const login = [user, password]
      .filter((part) => part !== undefined)
      .map(encodeURIComponent)
      .join(":");
    const place = `${encodeHost(host)}:${port}`;
    return `postgres://${login === "" ? "" : `${login}@`}${place}/${encodeURIComponent(database ?? "")}${query}`;
  }
  return undefined;
}

/** An IPv6 address stands in brackets, a folder of sockets percent-encoded. */
function encodeHost(host: string): string {
  if (host.startsWith("/")) return encodeURIComponent(host);
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}
