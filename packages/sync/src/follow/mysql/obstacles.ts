import type { FailoverPool } from "@mirrorpool/core";
import type { Refusal } from "../../errors.ts";
import { numberOf } from "../../faults.ts";
import { nameOf, type Table } from "../../model.ts";
import { ask } from "../../mysql/ask.ts";
import { knownCharsets } from "../../mysql/binlog/charset.ts";
import { BinlogDump } from "../../mysql/binlog/dump.ts";
import { readShapes } from "../../mysql/binlog/shape.ts";
import type { Flavor } from "../../mysql/settings.ts";
import { PATIENT, type Querier } from "../../querier.ts";
import { readEnd } from "./source-log.ts";

/** Settings without which the log does not tell everything, row by row. */
const SETTINGS: Readonly<Record<Flavor, Readonly<Record<string, readonly string[]>>>> = {
  mariadb: { log_bin: ["1", "ON"], binlog_format: ["ROW"], binlog_row_image: ["FULL", "FULL_NODUP"] },
  mysql: {
    log_bin: ["1", "ON"],
    binlog_format: ["ROW"],
    binlog_row_image: ["FULL"],
    gtid_mode: ["ON"],
    binlog_row_value_options: [""],
    binlog_transaction_compression: ["0", "OFF"],
  },
};

/** Rights that a user does not have. */
const DENIED: ReadonlySet<number> = new Set([1044, 1045, 1142, 1227]);

/** What the source's server and user lack, and the tables whose changes the log does not have in a form that can be read. */
export async function sourceObstacles(
  from: FailoverPool,
  flavor: Flavor,
  tables: readonly Table[],
  signal: AbortSignal,
): Promise<readonly Refusal[]> {
  const connection = await from.reserve({ on: "primary", signal });
  try {
    const found = [
      ...(await settingObstacles(connection, SETTINGS[flavor])),
      ...(flavor === "mariadb" ? await galeraObstacles(connection) : []),
      ...(await tableObstacles(connection, tables, signal)),
    ];
    if (found.length > 0) return found;
    const isMariadb = flavor === "mariadb";
    const gtids = await readEnd(connection, isMariadb, signal);
    const nobody = { onEvent: () => {} };
    const dump = await BinlogDump.open(connection, { isMariadb, gtids, isEndless: false }, nobody, signal);
    try {
      await dump.ended;
      return [];
    } catch (error) {
      if (!DENIED.has(numberOf(error) ?? 0)) throw error;
      return [{ table: "", reason: "the source's user may not read the binary log: GRANT REPLICATION SLAVE ON *.*" }];
    }
  } finally {
    connection.release();
  }
}

/** @param wanted for each variable the values that will do */
export async function settingObstacles(
  on: Querier,
  wanted: Readonly<Record<string, readonly string[]>>,
): Promise<readonly Refusal[]> {
  const names = Object.keys(wanted);
  const [row = {}] = await ask<Record<string, string | null>>(
    on,
    `SELECT ${names.map((name) => `@@global.${name} AS ${name}`).join(", ")}`,
  );
  return names.flatMap((name) => {
    const allowed = wanted[name] ?? [];
    const value = row[name] ?? "";
    if (allowed.includes(value.toUpperCase())) return [];
    const [first] = allowed;
    const should = first === "1" ? "ON" : first === "0" ? "OFF" : first;
    return [{ table: "", reason: `the source needs ${name} = ${should === "" ? "''" : should}, and has ${value}` }];
  });
}

/** Nodes of Galera give a transaction numbers of their own, unless they are told not to. */
async function galeraObstacles(on: Querier): Promise<readonly Refusal[]> {
  const rows = await ask<{ Variable_name: string; Value: string }>(
    on,
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('wsrep_on', 'wsrep_gtid_mode', 'log_slave_updates')",
  );
  const settingOf = (name: string): string => rows.find((row) => row.Variable_name === name)?.Value ?? "OFF";
  if (settingOf("wsrep_on") === "OFF") return [];
  if (settingOf("wsrep_gtid_mode") === "ON" && settingOf("log_slave_updates") === "ON") return [];
  const reason =
    "the source is a Galera cluster whose nodes number transactions each in its own way: wsrep_gtid_mode and log_slave_updates have to be ON";
  return [{ table: "", reason }];
}

/** Types of which the log has bytes that are not read here. */
const UNREAD = /\bcompressed\b|^vector\b/i;

const ENGINES = `SELECT TABLE_NAME AS name, ENGINE AS engine, TABLE_TYPE AS type FROM information_schema.TABLES
  WHERE TABLE_SCHEMA = DATABASE()`;

async function tableObstacles(on: Querier, tables: readonly Table[], signal: AbortSignal): Promise<readonly Refusal[]> {
  const found: Refusal[] = [];
  const engines = new Map(
    (await ask<{ name: string; engine: string; type: string }>(on, ENGINES)).map((row) => [row.name, row]),
  );
  const { shapes } = await readShapes(on, new Set(tables.map(({ name }) => name)), signal);
  for (const table of tables) {
    const name = nameOf(table);
    const { engine, type } = engines.get(table.name) ?? {};
    if (engine !== undefined && engine !== "InnoDB")
      found.push({ table: name, reason: `the source keeps it in ${engine}, which has no transactions: use InnoDB` });
    if (type === "SYSTEM VERSIONED")
      found.push({ table: name, reason: "it keeps its own history, which would be followed as rows" });
    for (const column of shapes.get(table.name) ?? []) {
      const isFollowed = table.columns.some((each) => each.name === column.name);
      if (UNREAD.test(column.type)) {
        const reason = `what the binary log has of the type ${column.type} cannot be read`;
        found.push({ table: name, column: column.name, reason });
      } else if (isFollowed && column.charset !== null && !knownCharsets.includes(column.charset)) {
        const reason = `the binary log has it in the character set ${column.charset}, which cannot be read: use utf8mb4`;
        found.push({ table: name, column: column.name, reason });
      }
    }
  }
  return found;
}

const TARGET = `SELECT t.TABLE_NAME AS name, t.ENGINE AS engine, (SELECT MIN(g.TRIGGER_NAME) FROM information_schema.TRIGGERS AS g
    WHERE g.EVENT_OBJECT_SCHEMA = t.TABLE_SCHEMA AND g.EVENT_OBJECT_TABLE = t.TABLE_NAME) AS \`trigger\`
  FROM information_schema.TABLES AS t WHERE t.TABLE_SCHEMA = DATABASE()`;

/** Tables of the target that cannot be written as the source's are. */
export async function targetObstacles(to: FailoverPool, tables: readonly Table[]): Promise<readonly Refusal[]> {
  type Row = { readonly name: string; readonly engine: string; readonly trigger: string | null };
  const rows = await to.transaction((on) => ask<Row>(on, TARGET), PATIENT);
  const byName = new Map(rows.map((row) => [row.name, row]));
  return tables.flatMap((table) => {
    const { engine = "InnoDB", trigger } = byName.get(table.name) ?? {};
    const found: Refusal[] = [];
    if (engine !== "InnoDB")
      found.push({
        table: nameOf(table),
        reason: `the target keeps it in ${engine}, which has no transactions: use InnoDB`,
      });
    if (trigger != null) {
      const reason = `its trigger ${trigger} on the target would do again what it has done on the source. Drop it, and make it again afterwards`;
      found.push({ table: nameOf(table), reason });
    }
    return found;
  });
}
