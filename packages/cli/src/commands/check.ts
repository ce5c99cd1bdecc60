import type { FailoverPool, TopologyReport } from "@mirrorpool/core";
import type { Cluster } from "../config/clusters.ts";
import type { Context } from "../context.ts";
import { exitCodes } from "../errors.ts";
import { table } from "../output/format.ts";
import { look } from "./status.ts";

/** What was looked at, and what was found. */
interface Finding {
  readonly check: string;
  readonly state: "ok" | "warning" | "trouble";
  readonly message: string;
}

const LOOK_MS = 5000;

/** Looks whether a cluster is set up so that a failover will go well. */
export async function check(context: Context, given: string | undefined): Promise<void> {
  const cluster = await context.cluster(given);
  await context.withPool(cluster, async (pool) => {
    const topology = await look(pool, context.options.timeout ?? LOOK_MS, context.signal);
    const findings = [...checkTopology(topology), ...(topology.isWritable ? await checkPrimary(pool, cluster) : [])];
    const isFine = findings.every(({ state }) => state !== "trouble");
    context.output.result({ cluster: cluster.name, isFine, findings }, () =>
      table(
        ["", "check", ""],
        findings.map((each) => [each.state, each.check, each.message]),
      ),
    );
    if (!topology.nodes.some(({ status }) => status === "up")) context.exitCode = exitCodes.unreachable;
    else if (!isFine) context.exitCode = exitCodes.found;
  });
}

/** What the nodes say of themselves. Pure. */
function checkTopology({ nodes, isWritable, isSplit, primary }: TopologyReport): readonly Finding[] {
  const findings: Finding[] = nodes.map(({ id, status, role, fault, fence }) => {
    const isFine = status === "up" && fence === undefined;
    const why = fence === undefined ? (fault ?? `it is ${status}`) : `it is fenced: ${fence}`;
    return { check: `node ${id}`, state: isFine ? "ok" : "trouble", message: isFine ? `${role}, answers` : why };
  });
  findings.push(
    isWritable
      ? { check: "primary", state: "ok", message: `${primary} takes writes` }
      : {
          check: "primary",
          state: "trouble",
          message: isSplit ? "two nodes claim to be primary" : "no node takes writes",
        },
  );
  const mirrors = nodes.filter(({ role, status }) => role === "mirror" && status === "up");
  if (mirrors.length === 0)
    findings.push({
      check: "mirrors",
      state: "warning",
      message: "none: when the primary dies nothing takes its place",
    });
  for (const { id, lagBytes, lagMs } of mirrors) {
    const isFar = (lagBytes ?? 0) > 16 * 1024 ** 2;
    const far =
      lagBytes === undefined
        ? "its lag is not known yet"
        : `${lagBytes} bytes behind${lagMs === undefined ? "" : `, ${Math.round(lagMs)} ms`}`;
    findings.push({ check: `lag of ${id}`, state: isFar ? "warning" : "ok", message: far });
  }
  return findings;
}

const SETTINGS = `
SELECT current_setting('max_connections')::int AS "maxConnections",
       current_setting('superuser_reserved_connections')::int AS reserved,
       current_setting('synchronous_commit') AS "synchronousCommit",
       current_setting('synchronous_standby_names') AS "standbyNames",
       current_setting('idle_in_transaction_session_timeout') AS "idleTimeout"`;

interface SettingsRow {
  readonly maxConnections: number;
  readonly reserved: number;
  readonly synchronousCommit: string;
  readonly standbyNames: string;
  readonly idleTimeout: string;
}

async function checkPrimary(pool: FailoverPool, { pool: options }: Cluster): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const { rows } = await pool.query<SettingsRow>(SETTINGS, [], { consistency: "strong" });
  const settings = rows[0] as SettingsRow; // it answers exactly one
  const free = settings.maxConnections - settings.reserved;
  const most = options.pool?.max ?? 10;
  findings.push({
    check: "connections",
    state: most > free ? "trouble" : "ok",
    message: `pool.max is ${most} for each process, and the primary has ${free}: room for ${Math.floor(free / most)} processes`,
  });
  const isSynchronous =
    settings.standbyNames !== "" && settings.synchronousCommit !== "off" && settings.synchronousCommit !== "local";
  const isKept = isSynchronous || options.durability === "mirrored";
  findings.push({
    check: "durability",
    state: isKept ? "ok" : "warning",
    message: isKept
      ? isSynchronous
        ? "a commit waits for a mirror"
        : 'durability: "mirrored"'
      : 'mirroring is asynchronous: acknowledged writes may be lost with the primary (synchronous_standby_names, or durability: "mirrored")',
  });
  if (settings.idleTimeout === "0")
    findings.push({
      check: "zombies",
      state: "warning",
      message:
        "idle_in_transaction_session_timeout is 0: a transaction whose application is gone may hold its locks for long",
    });
  findings.push(await checkLedger(pool, options.exactlyOnce));
  return findings;
}

async function checkLedger(pool: FailoverPool, exactlyOnce: Cluster["pool"]["exactlyOnce"]): Promise<Finding> {
  const table = typeof exactlyOnce === "object" ? (exactlyOnce.table ?? "mirrorpool_ledger") : "mirrorpool_ledger";
  const isOn = exactlyOnce !== undefined && exactlyOnce !== false;
  const { rows } = await pool.query<{ isThere: boolean; isOurs: boolean | null }>(
    `SELECT to_regclass($1) IS NOT NULL AS "isThere",
            CASE WHEN to_regclass($1) IS NULL THEN NULL ELSE has_table_privilege(to_regclass($1), 'SELECT') AND
            has_table_privilege(to_regclass($1), 'INSERT') AND has_table_privilege(to_regclass($1), 'DELETE') END AS "isOurs"`,
    [table],
    { consistency: "strong" },
  );
  const { isThere = false, isOurs = false } = rows[0] ?? {};
  if (isOn && !isThere)
    return {
      check: "ledger",
      state: "trouble",
      message: `exactlyOnce is on, and ${table} is not there: mirrorpool ledger --create`,
    };
  if (isOn && isOurs !== true)
    return { check: "ledger", state: "trouble", message: `this role may not write to ${table}` };
  if (isOn) return { check: "ledger", state: "ok", message: `${table} is there` };
  return {
    check: "ledger",
    state: "warning",
    message: "exactlyOnce is off: a commit whose answer is lost is of unknown fate",
  };
}
