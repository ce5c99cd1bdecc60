import {
  abandonRestore,
  backup,
  type Compression,
  type Keep,
  listBackups,
  type Progress,
  type RowForm,
  restore,
  verify,
} from "@mirrorpool/backup";
import type { LossyRule } from "@mirrorpool/sync";
import { findKey, findStore } from "../config/clusters.ts";
import { driverFor } from "../config/driver.ts";
import type { Context } from "../context.ts";
import { UsageError } from "../errors.ts";
import { requireNames, UNITS_AT_A_TIME, withFleet } from "../fleet/fleet.ts";
import { bytes, count, duration, plural, table } from "../output/format.ts";
import { showProgress } from "../output/job-progress.ts";

/** What commands for backups have in common. */
export interface StoreFlags {
  readonly store?: string;
  readonly keyFile?: string;
  readonly jobs?: number;
}

function common(context: Context, { keyFile, jobs }: StoreFlags, cluster: Parameters<typeof findKey>[1]) {
  const encryption = findKey(keyFile, cluster, context.world.environment);
  return {
    signal: context.signal,
    onProgress: (progress: Progress) => showProgress(context.output, progress),
    ...(jobs !== undefined && { jobs }),
    ...(encryption && { encryption }),
  };
}

export interface BackupFlags extends StoreFlags {
  readonly tables?: string[];
  readonly from?: "mirror" | "primary";
  readonly compression?: Compression;
  readonly form?: RowForm;
  readonly chunkBytes?: number;
  readonly keep?: Keep;
  readonly schema?: boolean;
  readonly pgDump?: string;
}

export async function runBackup(context: Context, given: string | undefined, flags: BackupFlags): Promise<void> {
  const cluster = await context.cluster(given);
  const { tables, from, compression, form, chunkBytes, keep, pgDump } = flags;
  const schema = pgDump === undefined ? (flags.schema === false ? false : undefined) : { pgDump };
  const report = await backup(cluster.pool, {
    to: findStore(flags.store, cluster, context.world.environment),
    ...common(context, flags, cluster),
    ...(tables && { tables }),
    ...(from && { from }),
    ...(compression && { compression }),
    ...(form && { form }),
    ...(chunkBytes !== undefined && { chunkBytes }),
    ...(keep && { keep }),
    ...(schema !== undefined && { schema }),
  });
  for (const warning of report.warnings) context.output.warn(warning);
  context.output.result(
    report,
    () =>
      `${report.name}: ${plural(report.tables, "table")}, ${plural(report.rows, "row")}, ${bytes(report.bytes)} as ${bytes(report.storedBytes)}, ` +
      `from ${report.node} (${report.role}), ${duration(report.durationMs)}` +
      (report.removed.length > 0 ? `\nremoved: ${report.removed.join(", ")}` : ""),
  );
}

export async function runList(context: Context, given: string | undefined, flags: StoreFlags): Promise<void> {
  const cluster = await context.clusterIfAny(given);
  const { environment } = context.world;
  const found = await listBackups(
    findStore(flags.store, cluster, environment),
    findKey(flags.keyFile, cluster, environment),
  );
  const backups = found.map(({ name, manifest, problem }) => ({
    name,
    problem,
    finishedAt: manifest?.finishedAt,
    database: manifest?.source.database,
    tables: manifest?.tables.length,
    rows: manifest?.chunks.reduce((sum, each) => sum + each.rows, 0),
    storedBytes: manifest?.chunks.reduce((sum, each) => sum + each.storedBytes, 0),
  }));
  context.output.result({ backups }, () =>
    backups.length === 0
      ? "no finished backups"
      : table(
          ["backup", "finished", "database", "tables", "rows", "stored"],
          backups.map((each) => [
            each.name,
            each.finishedAt ?? each.problem ?? "",
            each.database ?? "",
            `${each.tables ?? ""}`,
            each.rows === undefined ? "" : count(each.rows),
            each.storedBytes === undefined ? "" : bytes(each.storedBytes),
          ]),
        ),
  );
}

export interface VerifyFlags extends StoreFlags {
  readonly backup?: string;
  readonly into?: string;
  readonly scratch?: boolean;
}

export async function runVerify(context: Context, given: string | undefined, flags: VerifyFlags): Promise<void> {
  if (flags.into !== undefined && flags.scratch === true) throw new UsageError("--into or --scratch, and not both");
  const cluster = await context.clusterIfAny(given);
  const { environment } = context.world;
  const store = findStore(flags.store, cluster, environment);
  const found = flags.scratch === true ? await listBackups(store, findKey(flags.keyFile, cluster, environment)) : [];
  const chosen = flags.backup === undefined ? found.at(-1) : found.find(({ name }) => name === flags.backup);
  const scratch = flags.scratch === true ? await startScratch(context, chosen?.manifest?.source.system) : undefined;
  try {
    const into = scratch?.pool ?? (flags.into === undefined ? undefined : (await context.cluster(flags.into)).pool);
    const report = await verify({
      from: store,
      ...common(context, flags, cluster),
      ...(flags.backup !== undefined && { backup: flags.backup }),
      ...(into && { into }),
    });
    for (const warning of report.warnings) context.output.warn(warning);
    context.output.result(
      report,
      () =>
        `${report.backup} is whole: ${plural(report.chunks, "chunk")}, ${plural(report.rows, "row")}, ${bytes(report.bytes)}` +
        `${report.isRestored ? ", restored and compared" : ""}, ${duration(report.durationMs)}`,
    );
  } finally {
    await scratch?.close();
  }
}

const SERVERS = { postgresql: "postgres", mariadb: "mariadb", mysql: "mysql" } as const;

/** A server of its own on this machine, of the system that the backup is of, which goes afterwards. */
async function startScratch(context: Context, system: keyof typeof SERVERS = "postgresql") {
  const { createCluster } = await import("@mirrorpool/lab").catch(() => {
    throw new UsageError("--scratch needs @mirrorpool/lab: npm install --save-dev @mirrorpool/lab");
  });
  const server = SERVERS[system];
  // routines come back, whatever the server thinks of them
  const settings =
    server === "postgres" ? {} : { log_bin_trust_function_creators: "1", max_allowed_packet: "1073741824" };
  const cluster = await createCluster({ server, settings, mirrors: 0, proxies: false, signal: context.signal });
  return { pool: { driver: await driverFor(cluster.urls), nodes: [...cluster.urls] }, close: () => cluster.close() };
}

export interface RestoreFlags extends StoreFlags {
  readonly backup?: string;
  readonly tables?: string[];
  readonly existing?: "refuse" | "append" | "replace";
  readonly schema?: boolean;
  readonly owners?: boolean;
  readonly of?: string;
  readonly abandon?: boolean;
  readonly queue?: string;
  readonly lossy?: LossyRule[];
}

export async function runRestore(context: Context, given: string | undefined, flags: RestoreFlags): Promise<void> {
  if (flags.queue !== undefined) requireNames([given, flags.of].filter((each) => each !== undefined));
  const cluster = await context.cluster(given);
  if (flags.abandon === true) {
    const name = await abandonRestore(cluster.pool, { signal: context.signal });
    return context.output.result({ abandoned: name ?? null }, () =>
      name === undefined ? "there is no unfinished restore" : `the restore of ${name} was given up`,
    );
  }
  const source = flags.of === undefined ? cluster : await context.cluster(flags.of);
  const { backup: name, tables, existing, schema, owners, lossy } = flags;
  const options = {
    from: findStore(flags.store, source, context.world.environment),
    ...common(context, flags, source),
    ...(name !== undefined && { backup: name }),
    ...(tables && { tables }),
    ...(existing && { existing }),
    ...(schema === false && { schema }),
    ...(owners === false && { owners }),
    ...(lossy && { lossy }),
  };
  const { queue, jobs } = flags;
  const report =
    queue === undefined
      ? await restore(cluster.pool, options)
      : await withFleet(context, queue, { into: cluster.name, of: source.name }, ({ delegate }) =>
          restore(cluster.pool, { ...options, jobs: jobs ?? UNITS_AT_A_TIME, delegate }),
        );
  for (const warning of report.warnings) context.output.warn(warning);
  context.output.result(
    report,
    () =>
      `${report.backup}: ${plural(report.tables, "table")}, ${plural(report.rows, "row")}, ${bytes(report.bytes)} restored` +
      `${report.isResumed ? " (gone on with)" : ""}, ${duration(report.durationMs)}`,
  );
}
