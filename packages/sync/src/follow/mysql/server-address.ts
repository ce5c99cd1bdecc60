import { OptionsError } from "@mirrorpool/core";

/** How the target's server reaches a node of the source. Holds a password: nothing of it is for anybody else. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Whether the connection is encrypted; with a file of the target's server also whether the source's certificate is one of its own. */
  readonly tls: boolean | { readonly ca: string };
}

const WHERE = "native.connection";
const FORM =
  "mysql://user:password@host:port, with as many hosts as the source has nodes, in their order, or one that leads to its primary";
const PARAMETERS: ReadonlySet<string> = new Set(["ssl", "ssl-ca"]);
const URL_FORM = /^(?:mysql|mariadb):\/\/([^:@/]+)(?::([^@/]*))?@([^/?]+)(?:\/[^?]*)?(?:\?(.*))?$/;

/**
 * Reads a URL for one node of a source. Several hosts are those of the nodes in their order.
 * @param node its place among them
 * @throws {OptionsError} which tells nothing of the URL
 */
export function readAddress(url: string, node: number, nodes: number): ServerAddress {
  const [, user, password = "", places = "", query = ""] = URL_FORM.exec(url) ?? [];
  const hosts = places.split(",");
  const place = hosts.length === 1 ? hosts[0] : hosts[node];
  const [, bracketed, plain, port = "3306"] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(place ?? "") ?? [];
  const host = bracketed ?? plain;
  if (user === undefined || host === undefined || (hosts.length !== 1 && hosts.length !== nodes))
    throw new OptionsError(WHERE, FORM, hosts.length > 1 ? `a URL with ${hosts.length} hosts` : "another text");
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys())
    if (!PARAMETERS.has(name))
      throw new OptionsError(WHERE, "ssl=true and ssl-ca=FILE as parameters", JSON.stringify(name));
  const ca = parameters.get("ssl-ca");
  return {
    host,
    port: Number(port),
    user: decodeURIComponent(user),
    password: decodeURIComponent(password),
    tls: ca === null ? parameters.get("ssl") === "true" : { ca },
  };
}
