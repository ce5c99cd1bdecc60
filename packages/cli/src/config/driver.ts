import type { Driver, NodeOptions } from "@mirrorpool/core";
import { postgres } from "@mirrorpool/pg";
import { UsageError } from "../errors.ts";

const MYSQL_URL = /^(mysql|mariadb):/i;

/**
 * The driver that the nodes' URLs ask for. The one for MariaDB and MySQL is loaded only where it is meant: nobody else has to have
 * it installed.
 * @throws {UsageError} where it is not
 */
export async function driverFor(nodes: readonly (string | NodeOptions)[]): Promise<Driver> {
  const urls = nodes.map((node) => (typeof node === "string" ? node : (node.url ?? "")));
  if (!urls.some((url) => MYSQL_URL.test(url))) return postgres();
  const loaded = await import("@mirrorpool/mysql2").catch((cause: unknown) => {
    throw new UsageError("URLs of MariaDB and MySQL need the packages @mirrorpool/mysql2 and mysql2", { cause });
  });
  return loaded.mysql();
}
