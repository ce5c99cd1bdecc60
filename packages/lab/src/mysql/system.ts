import type { DatabaseSystem, Host, Member, Site } from "../cluster/engine.ts";
import type { ClusterPlan, ServerKind } from "../cluster/options.ts";
import type { Launch } from "../cluster/server.ts";
import type { Account } from "../platform/account.ts";
import { runProgram } from "../platform/program.ts";
import { becomeCopy, logDirectoryOf, makeDataDirectory, openBase } from "./data-directory.ts";
import { createEngine, optionFileOf } from "./engine.ts";
import type { Flavor } from "./flavor.ts";
import { GALERA } from "./galera.ts";
import { createGroupEngine, type Group } from "./group-engine.ts";
import type { GroupFlavor } from "./group-flavor.ts";
import { GROUP_REPLICATION } from "./group-replication.ts";
import { MARIADB } from "./mariadb.ts";
import { MYSQL } from "./mysql.ts";
import { findPrograms, type Programs } from "./programs.ts";
import { BASE_SETTINGS, type Settings } from "./settings.ts";
import { adminLogin, formatUrl, withConnection } from "./sql.ts";
import { scriptFolderOf, writeStateTransfer } from "./state-transfer.ts";

type MysqlKind = Exclude<ServerKind, "postgres">;

const FLAVORS: Readonly<Record<MysqlKind, Flavor>> = { mariadb: MARIADB, mysql: MYSQL };

const GROUPS: Readonly<Record<MysqlKind, GroupFlavor>> = { mariadb: GALERA, mysql: GROUP_REPLICATION };

/** Kept for the lab and for replication, so that the application's own are as many as on PostgreSQL. */
const RESERVED_CONNECTIONS = 3;

/**
 * MariaDB or MySQL, with replication by GTID.
 * @throws LabError `not-possible-here` when there are no programs for this machine
 */
export async function createMysql(
  server: MysqlKind,
  plan: ClusterPlan,
  account: Account | undefined,
  signal: AbortSignal,
): Promise<DatabaseSystem> {
  const flavor = FLAVORS[server];
  const programs = await findPrograms(flavor.wanted, plan.system, signal);
  const shared = { ...BASE_SETTINGS, ...flavor.settings(plan.synchronous) };
  const base = await openBase(flavor, programs, { ...BASE_SETTINGS, ...flavor.settings(false) }, account, signal);
  if (plan.group) return createGroup(server, programs, shared, base, signal);
  return {
    extraPorts: 1,
    launch: (site) => launch(flavor, programs, site),
    createEngine: (host) => createEngine(host, flavor, settingsOf(flavor, shared, host), base),
    adminLogin,
    formatUrl,
    connect: withConnection,
    boot: (primary, mirrors) => boot(base, primary, mirrors, signal),
  };
}

/** A group of three or more: Galera or Group Replication. */
function createGroup(
  server: MysqlKind,
  programs: Programs,
  shared: Settings,
  base: string,
  signal: AbortSignal,
): DatabaseSystem {
  const flavor = GROUPS[server];
  const hosts: Host[] = [];
  const group: Group = {
    flavor,
    hosts,
    settings: (host) => ({
      ...settingsOf(FLAVORS[server], shared, host),
      server_id: String(host.number),
      ...flavor.settings(host, hosts, programs),
    }),
    recover: (host) => {
      const { program, args } = launch(FLAVORS[server], programs, host);
      return runProgram(program, [...args, "--wsrep-recover"], { cwd: host.directory, account: host.account, signal });
    },
  };
  return {
    extraPorts: flavor.extraPorts,
    launch: (site) => ({ ...launch(FLAVORS[server], programs, site), path: scriptFolderOf(site) }),
    createEngine(host) {
      hosts.push(host);
      return createGroupEngine(host, group);
    },
    adminLogin,
    formatUrl,
    connect: withConnection,
    async boot(primary, mirrors) {
      await Promise.all(hosts.map((host) => makeDataDirectory(host, base, signal, flavor.keepLocal)));
      if (flavor.beginsAsCopies) {
        await writeStateTransfer(primary);
        await primary.engine.start();
        await primary.engine.stop("fast");
        for (const mirror of mirrors) await becomeCopy(mirror, primary, signal);
      }
      await primary.engine.start();
      await Promise.all(mirrors.map((mirror) => mirror.engine.start()));
    },
  };
}

function settingsOf(flavor: Flavor, shared: Settings, site: Site): Settings {
  const logs = logDirectoryOf(site);
  return {
    ...shared,
    max_connections: String(site.plan.maxConnections - RESERVED_CONNECTIONS),
    ...site.plan.settings,
    bind_address: site.host,
    port: String(site.directPort),
    ...flavor.adminPort(site.extraPorts[0] ?? 0),
    // relative to the data directory: the path of a socket must be short
    socket: "server.sock",
    pid_file: "server.pid",
    log_bin: `${logs}/binlog`,
    relay_log: `${logs}/relay`,
    tmpdir: logs,
  };
}

function launch(flavor: Flavor, programs: Programs, site: Site): Launch {
  const { command, prefix, places } = programs;
  return {
    program: command,
    args: [...prefix, `--defaults-file=${optionFileOf(site)}`, ...places, `--datadir=${site.directory}`],
    status: (_, log) => (flavor.ready.test(log()) ? "ready" : undefined),
  };
}

async function boot(base: string, primary: Member, mirrors: readonly Member[], signal: AbortSignal): Promise<void> {
  const all = [primary, ...mirrors];
  await Promise.all(all.map((node) => makeDataDirectory(node, base, signal)));
  await Promise.all(all.map((node) => node.engine.start()));
  await Promise.all(mirrors.map((mirror) => mirror.engine.follow(primary)));
  await Promise.all(mirrors.map((mirror) => mirror.engine.waitForStream()));
}
