import type { Connection, Observation } from "@mirrorpool/core";
import { GroupHidden, serverNumberOf } from "./classify.ts";
import type { MysqlConnection } from "./connection.ts";
import { type Facts, isReadOnly } from "./facts.ts";
import { type Identity, identify } from "./identity.ts";
import { observe } from "./observe.ts";
import { type Own, ownStatement } from "./own.ts";
import { quote } from "./quote.ts";
import { latestReign } from "./reign.ts";

/** Facts that any user may read, each with the expression that gives it. */
const MARIADB = {
  read_only: "@@global.read_only",
  innodb_read_only: "@@global.innodb_read_only",
  // running as long as replication was not stopped, also while the primary cannot be reached
  appliers: "(SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'SLAVES_RUNNING')",
  primary_position: "@@global.gtid_binlog_pos",
  // what is visible here already: the binary log is written before
  mirror_position: "@@global.gtid_current_pos",
  mirror_only: "@@global.gtid_slave_pos",
  executed: "@@global.gtid_binlog_state",
  semi_sync: "@@global.rpl_semi_sync_master_enabled",
  semi_sync_timeout: "@@global.rpl_semi_sync_master_timeout",
  semi_sync_wait_point: "@@global.rpl_semi_sync_master_wait_point",
  semi_sync_wait_alone: "@@global.rpl_semi_sync_master_wait_no_slave",
};

const MYSQL = {
  read_only: "@@global.read_only",
  super_read_only: "@@global.super_read_only",
  innodb_read_only: "@@global.innodb_read_only",
  primary_position: "@@global.gtid_executed",
  mirror_position: "@@global.gtid_executed",
  executed: "@@global.gtid_executed",
};

const MYSQL_SEMI_SYNC = {
  semi_sync: "@@global.rpl_semi_sync_source_enabled",
  semi_sync_timeout: "@@global.rpl_semi_sync_source_timeout",
  semi_sync_wait_point: "@@global.rpl_semi_sync_source_wait_point",
  semi_sync_wait_alone:
    "@@global.rpl_semi_sync_source_wait_for_replica_count > 0 AND @@global.rpl_semi_sync_source_wait_no_replica",
};

/**
 * What takes a privilege (`SELECT` on these tables). The threads of a group's own channels run on its primary as well, and those by which a
 * database of it follows another cluster (`@mirrorpool/sync`).
 */
const MYSQL_PRIVILEGED = {
  applier: `(SELECT COUNT(*) FROM performance_schema.replication_applier_status
             WHERE SERVICE_STATE = 'ON' AND CHANNEL_NAME NOT LIKE 'group\\_replication\\_%' AND CHANNEL_NAME NOT LIKE 'mirrorpool\\_%')`,
};

/** The same of MariaDB, which has no table of it for all versions. Takes `SLAVE MONITOR`. */
const MARIADB_CONNECTIONS = "SHOW ALL SLAVES STATUS";
const JOBS = "mirrorpool_";

const MEMBERS = "FROM performance_schema.replication_group_members";
const ITSELF = "WHERE MEMBER_ID = @@global.server_uuid";

/** Of a member of a group. Takes the same privilege. */
const MYSQL_GROUP = {
  member_state: `(SELECT MEMBER_STATE ${MEMBERS} ${ITSELF})`,
  member_role: `(SELECT MEMBER_ROLE ${MEMBERS} ${ITSELF})`,
  members: `(SELECT COUNT(*) ${MEMBERS})`,
  members_reachable: `(SELECT COUNT(*) ${MEMBERS} WHERE MEMBER_STATE <> 'UNREACHABLE')`,
  view: `(SELECT VIEW_ID FROM performance_schema.replication_group_member_stats ${ITSELF})`,
  // every member proposes its figures for the flow control to the group, whether that is on or not
  consensus_age_s: `(SELECT TIMESTAMPDIFF(SECOND, NULLIF(VARIABLE_VALUE, ''), UTC_TIMESTAMP())
                     FROM performance_schema.global_status WHERE VARIABLE_NAME = 'Gr_last_consensus_end_timestamp')`,
  consensus_every_s: "@@global.group_replication_flow_control_period",
  expel_timeout_s: "@@global.group_replication_member_expel_timeout",
  single_primary: "@@global.group_replication_single_primary_mode",
};

const WSREP = [
  "wsrep_cluster_state_uuid",
  "wsrep_cluster_status",
  "wsrep_last_committed",
  "wsrep_local_state",
  "wsrep_ready",
];

/** Access denied, to the table or to the schema. */
const DENIED: ReadonlySet<number | undefined> = new Set([1142, 1044, 1143, 1227]);

/** Denied as well, or there is no such table, or no database to look for it. */
const WITHHELD: ReadonlySet<number | undefined> = new Set([...DENIED, 1146, 1049, 1046]);

/** Connections whose user may not see whose connections replication runs by. */
const unprivileged = new WeakSet<Connection>();

/** How many of the questions below were withheld from a connection. */
const withheld = new WeakMap<Connection, number>();

type Expressions = Readonly<Record<string, string>>;

/** A question for facts; the reign is asked for as well where its name of the ledger's table is given. */
interface Question {
  readonly expressions: Expressions;
  readonly ledgerTable?: string | undefined;
}

/**
 * Asks a node what it is: in one round trip, but for the first ones on a connection.
 * @throws {OutOfGroup, GroupHidden} of a member of a group; else what the connection throws
 */
export async function probe(connection: MysqlConnection, ledgerTable: string | undefined): Promise<Observation> {
  const identity = await identify(connection);
  return observe(identity, await ask(connection, identity, ledgerTable));
}

async function ask(
  connection: MysqlConnection,
  { flavour, isGalera, group, hasSemiSync }: Identity,
  ledgerTable: string | undefined,
): Promise<Facts> {
  if (isGalera) return factsOf(connection, `SELECT ${select({ read_only: MARIADB.read_only })}, ${WSREP_FACTS}`);
  const withLedger = (expressions: Expressions): Question[] =>
    ledgerTable === undefined ? [{ expressions }] : [{ expressions, ledgerTable }, { expressions }];
  if (flavour === "mariadb") return withoutJobs(connection, await firstAllowed(connection, withLedger(MARIADB)));
  const open = { ...MYSQL, ...(hasSemiSync && MYSQL_SEMI_SYNC) };
  if (group === undefined) {
    const questions = [...withLedger({ ...open, ...MYSQL_PRIVILEGED }), ...withLedger(open)];
    return firstAllowed(connection, questions);
  }
  try {
    return await factsOf(connection, `SELECT ${select({ ...open, ...MYSQL_GROUP })}`);
  } catch (error) {
    if (!DENIED.has(serverNumberOf(error))) throw error;
    throw new GroupHidden("the state of the group is not visible", { cause: error });
  }
}

/** The answer to the first question that the connection's user may ask, which is remembered. */
async function firstAllowed(connection: MysqlConnection, questions: readonly Question[]): Promise<Facts> {
  for (let place = withheld.get(connection) ?? 0; ; place += 1) {
    const { expressions, ledgerTable } = questions[place] as Question; // nothing can withhold the last one
    const textIn = (database: string | undefined): string =>
      `SELECT ${select(
        ledgerTable === undefined ? expressions : { ...expressions, reign: latestReign(quote(ledgerTable, database)) },
      )}`;
    try {
      return await factsOf(connection, textIn(undefined), { textIn });
    } catch (error) {
      if (place === questions.length - 1 || !WITHHELD.has(serverNumberOf(error))) throw error;
      withheld.set(connection, place + 1);
    }
  }
}

/** Does not count connections by which a database follows another cluster; who may not see them counts them. */
async function withoutJobs(connection: MysqlConnection, facts: Facts): Promise<Facts> {
  const appliers = Number(facts.get("appliers") ?? 0);
  if (appliers === 0 || isReadOnly(facts) || unprivileged.has(connection)) return facts;
  try {
    const { rows } = await connection.run(ownStatement(MARIADB_CONNECTIONS, [], {}));
    const jobs = (rows as readonly Record<string, unknown>[]).filter(
      (row) => String(row["Connection_name"]).startsWith(JOBS) && row["Slave_SQL_Running"] === "Yes",
    );
    return new Map(facts).set("appliers", String(appliers - jobs.length));
  } catch (error) {
    if (!DENIED.has(serverNumberOf(error))) throw error;
    unprivileged.add(connection);
    return facts;
  }
}

function select(expressions: Expressions): string {
  return Object.entries(expressions)
    .map(([name, expression]) => `CAST(${expression} AS CHAR) AS ${name}`)
    .join(",\n       ");
}

const WSREP_FACTS = select(
  Object.fromEntries(
    WSREP.map((name) => [
      name,
      `(SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = '${name.toUpperCase()}')`,
    ]),
  ),
);

async function factsOf(connection: MysqlConnection, text: string, own: Own = {}): Promise<Facts> {
  const { rows } = await connection.run(ownStatement(text, [], own));
  return new Map(Object.entries(rows[0] as Record<string, string | null>)); // one row without a table
}
