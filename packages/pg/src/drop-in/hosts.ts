import { OptionsError } from "@mirrorpool/core";
import { LIST_OF_HOSTS } from "../url.ts";

/** One address of a list of hosts. */
export interface Host {
  readonly host: string;
  readonly port: number | undefined;
}

/**
 * A URL that names several hosts, as libpq takes them (`postgres://app@db1:5432,db2/shop`), cut into the hosts and the URL with
 * the first of them alone. Undefined where there is no list.
 */
export function splitUrl(url: string): { readonly hosts: readonly Host[]; readonly first: string } | undefined {
  const match = LIST_OF_HOSTS.exec(url);
  if (match === null) return undefined;
  const [, before = "", list = "", after = ""] = match;
  const entries = list.split(",");
  const hosts = entries.map((entry) => {
    const [, host = "", port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(entry) ?? [];
    return { host: host.replace(/^\[(.*)\]$/, "$1"), port: readPort(port) };
  });
  return { hosts: checked(hosts), first: `${before}${entries[0]}${after}` };
}

/** Lists as libpq takes them in `host` and `port`, PGHOST and PGPORT: one port for all hosts, or one for each. */
export function splitHosts(host: string, port: string): readonly Host[] {
  const names = host.split(",");
  const ports = port.split(",");
  if (ports.length !== 1 && ports.length !== names.length)
    throw new OptionsError("port", `one port, or one for each of the ${names.length} hosts`, `${ports.length} ports`);
  return checked(names.map((name, index) => ({ host: name.trim(), port: readPort(ports[index] ?? ports[0]) })));
}

function readPort(port: string | undefined): number | undefined {
  if (port === undefined || port.trim() === "") return undefined;
  const number = Number(port);
  if (Number.isInteger(number) && number >= 1 && number <= 65_535) return number;
  // of a URL whose password was not encoded it may be a part of that
  throw new OptionsError("port", "1 to 65535", "another text");
}

function checked(hosts: readonly Host[]): readonly Host[] {
  if (hosts.some(({ host }) => host === "")) throw new OptionsError("host", "a name in each place of the list", '""');
  return hosts;
}
