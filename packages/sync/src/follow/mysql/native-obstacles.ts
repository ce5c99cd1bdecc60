import type { FailoverPool } from "@mirrorpool/core";
import type { Refusal } from "../../errors.ts";
import { type Catalog, nameOf } from "../../model.ts";
import { ask } from "../../mysql/ask.ts";
import { createGtids } from "../../mysql/binlog/gtids.ts";
import type { Flavor } from "../../mysql/settings.ts";
import type { Pair } from "../../pair-tables.ts";
import { onPrimary } from "../../querier.ts";
import { settingObstacles } from "./obstacles.ts";
import type { Replica } from "./replica.ts";
import { readHas } from "./replica-position.ts";
import { readLog } from "./source-log.ts";

interface Sides {
  readonly from: FailoverPool;
  readonly to: FailoverPool;
  readonly flavor: Flavor;
  readonly source: Catalog;
  readonly target: Catalog;
  readonly pairs: readonly Pair[];
  readonly replica: Replica;
  /** It goes on: what the target has of the source is its own. */
  readonly isAgain: boolean;
  readonly signal: AbortSignal;
}

const of = (reason: string): Refusal => ({ table: "", reason });

const SETTINGS = {
  mariadb: { log_bin: ["1", "ON"], binlog_format: ["ROW"] },
  mysql: { log_bin: ["1", "ON"], binlog_format: ["ROW"], gtid_mode: ["ON"] },
} as const;

/** What stands in the way of the server's own replication between two MariaDB or two MySQL servers. */
export async function nativeObstacles(sides: Sides): Promise<readonly Refusal[]> {
  const { from, to, flavor, source, target, pairs, replica, isAgain, signal } = sides;
  const found = [...(await settingObstacles(onPrimary(from), SETTINGS[flavor]))];
  const connection = await to.reserve({ on: "primary", signal });
  try {
    if (!(await replica.mayReplicate(connection, signal))) {
      const rights =
        flavor === "mariadb"
          ? "REPLICATION SLAVE ADMIN, SLAVE MONITOR and BINLOG MONITOR"
          : "REPLICATION_SLAVE_ADMIN, REPLICATION CLIENT and SYSTEM_VARIABLES_ADMIN";
      found.push(of(`the target's user may not set up replication: GRANT ${rights} ON *.*`));
    }
  } finally {
    connection.release();
  }
  if (databaseOf(source) !== databaseOf(target))
    found.push(
      of("the servers' own replication writes into a database of the same name: the target's has another one"),
    );
  for (const { source: table } of pairs)
    if (flavor === "mariadb" && /[\s,.]/.test(table.name))
      found.push({
        table: nameOf(table),
        reason: "its name has signs that a filter of MariaDB's replication cannot have",
      });
  found.push(...(await idObstacles(from, to, signal)));
  found.push(...(await gtidObstacles(sides, isAgain)));
  found.push(...(await mirrorObstacles(to, flavor, isAgain)));
  return found;
}

const databaseOf = ({ identity }: Catalog): string => identity;

/** A server passes over what it takes for its own, by this number. */
async function idObstacles(from: FailoverPool, to: FailoverPool, signal: AbortSignal): Promise<readonly Refusal[]> {
  const [here, there] = await Promise.all([idsOf(from, signal), idsOf(to, signal)]);
  const both = [...here].filter((id) => there.has(id));
  if (both.length === 0) return [];
  return [
    of(`servers of the source and of the target have the same server_id (${both.join(", ")}): each needs its own`),
  ];
}

/** Of the nodes that answer. */
async function idsOf(pool: FailoverPool, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for (const { id, status } of pool.topology().nodes) {
    if (status !== "up") continue;
    const connection = await pool.reserve({ on: { node: id }, signal });
    try {
      const [row] = await ask<{ id: string }>(connection, "SELECT @@global.server_id AS id");
      if (row !== undefined) ids.add(row.id);
    } finally {
      connection.release();
    }
  }
  return ids;
}

/** GTIDs by which the one would be taken for the other. */
async function gtidObstacles({ from, to, flavor, signal }: Sides, isAgain: boolean): Promise<readonly Refusal[]> {
  const isMariadb = flavor === "mariadb";
  const { has } = await readLog(onPrimary(from), isMariadb, signal);
  const found: Refusal[] = [];
  if (isMariadb) {
    const [row] = await ask<{ domain: string }>(onPrimary(to), "SELECT @@global.gtid_domain_id AS domain");
    const domains = new Set(has.split(",").map((gtid) => gtid.split("-")[0]));
    if (domains.has(row?.domain ?? ""))
      found.push(
        of(
          `the target writes in the GTID domain ${row?.domain} of the source: SET GLOBAL gtid_domain_id on all of its servers to a number of its own`,
        ),
      );
  }
  if (isAgain || found.length > 0) return found;
  const theirs = createGtids(isMariadb, await readHas(onPrimary(to), isMariadb)).sharedWith(has);
  if (!createGtids(isMariadb, has).covers(theirs))
    found.push(
      of(
        "the target's server has GTIDs of the source's that the source does not have, and would pass over those to come: follow without native",
      ),
    );
  return found;
}

/** Mirrors of the target get what it replicates from its own log. */
async function mirrorObstacles(to: FailoverPool, flavor: Flavor, isAgain: boolean): Promise<readonly Refusal[]> {
  const { nodes } = to.topology();
  if (nodes.length === 1) return [];
  const name = flavor === "mariadb" ? "log_slave_updates" : "log_replica_updates";
  const [row] = await ask<{ logs: string }>(onPrimary(to), `SELECT @@global.log_bin AND @@global.${name} AS logs`);
  const found = row?.logs === "1" ? [] : [of(`the target has mirrors, and needs log_bin and ${name} = ON for them`)];
  const down = nodes.filter(({ status }) => status !== "up").map(({ id }) => id);
  // a mirror that is not told of the GTIDs that the target has by the copy asks for them in vain
  if (flavor === "mysql" && !isAgain && down.length > 0)
    found.push(of(`all nodes of the target have to be up when it begins: ${down.join(", ")} is not`));
  return found;
}
