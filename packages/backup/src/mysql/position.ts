import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { FailoverPool, ReservedConnection } from "@mirrorpool/core";
import { askMysql as ask, gtidsAt, readViewPlace } from "@mirrorpool/sync/for-other-jobs";
import type { SourcePosition } from "../format/manifest.ts";

/** When its process began is the difference of two times that are both reckoned from the start of the statement. */
const FACTS = (table: string): string => `
SELECT VERSION() AS version, DATABASE() AS \`database\`, @@global.server_id AS server, @@hostname AS host, @@global.port AS port,
  UNIX_TIMESTAMP() - (SELECT VARIABLE_VALUE FROM ${table} WHERE VARIABLE_NAME = 'Uptime') AS began`;
const MARIADB_STATUS = "information_schema.GLOBAL_STATUS";
const MYSQL_STATUS = "performance_schema.global_status";

/** What a node has replayed, or written, up to now. */
const POSITIONS = {
  mariadb: "SELECT @@gtid_slave_pos AS position",
  mysql: "SELECT @@global.gtid_executed AS position",
} as const;

export type Flavor = keyof typeof POSITIONS;

/** What was known of a node before a view was opened there. */
export interface Before {
  readonly node: string;
  readonly position: string;
}

/** On a connection of its own: which node a view would be opened on, and where that is now. */
export async function lookBefore(
  pool: FailoverPool,
  from: "mirror" | "primary",
  flavor: Flavor,
  signal: AbortSignal,
): Promise<Before> {
  const connection = await pool.reserve({ on: from, signal });
  try {
    return { node: connection.node, position: await positionOf(connection, flavor) };
  } finally {
    connection.release();
  }
}

async function positionOf(on: ReservedConnection, flavor: Flavor): Promise<string> {
  const [row] = await ask<{ position: string | null }>(on, POSITIONS[flavor]);
  return (row?.position ?? "").replaceAll(/\s/g, "");
}

/** MariaDB tells the place in its binary log that the connection's view has, and which GTID that is. */
async function exactPosition(on: ReservedConnection): Promise<string | undefined> {
  const place = await readViewPlace(on);
  return place && gtidsAt(on, place);
}

/** A transaction is seen a moment before its GTID is told. */
const SETTLED_MS = 20;

/**
 * Where a view stands.
 * @param before of the same node, taken before the view
 */
export async function placeOf(
  pool: FailoverPool,
  holder: ReservedConnection,
  flavor: Flavor,
  before: Before,
): Promise<SourcePosition> {
  const [facts] = await ask<Record<"version" | "database" | "server" | "host" | "port" | "began", string>>(
    holder,
    FACTS(flavor === "mariadb" ? MARIADB_STATUS : MYSQL_STATUS),
  );
  const exact = flavor === "mariadb" ? await exactPosition(holder) : await unchanged(holder, before);
  const { primary, nodes } = pool.topology();
  return {
    system: flavor,
    serverVersion: numberOf(facts?.version ?? ""),
    database: facts?.database ?? "",
    node: holder.node,
    role: primary === holder.node ? "primary" : "mirror",
    systemId: nodes
      .map(({ id }) => id)
      .sort()
      .join(","),
    instance: [facts?.server, facts?.host, facts?.port, facts?.began].join("/"),
    timeline: undefined,
    position: exact ?? before.position,
    // what is not known exactly is like no other view
    snapshot: exact === undefined || exact === "" ? randomUUID() : exact,
  };
}

/** MySQL has no place of a view: where nothing was written around its beginning, it is the position before. */
async function unchanged(on: ReservedConnection, before: Before): Promise<string | undefined> {
  await sleep(SETTLED_MS);
  return (await positionOf(on, "mysql")) === before.position ? before.position : undefined;
}

/** Such as 101119 of `10.11.19-MariaDB`. */
function numberOf(version: string): number {
  const [major = 0, minor = 0, patch = 0] = (/^\d+\.\d+\.\d+/.exec(version)?.[0] ?? "").split(".").map(Number);
  return 10_000 * major + 100 * minor + patch;
}
