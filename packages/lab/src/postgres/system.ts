import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSystem, Member, Site } from "../cluster/engine.ts";
import type { ClusterPlan } from "../cluster/options.ts";
import type { Launch } from "../cluster/server.ts";
import type { Account } from "../platform/account.ts";
import { copyTree } from "../platform/copy-tree.ts";
import { type Binaries, findBinaries } from "./binaries.ts";
import { createEngine, markAsMirror, walDirectoryOf } from "./engine.ts";
import { initialize, placeWal } from "./initialize.ts";
import { baseSettings, type Settings } from "./settings.ts";
import { adminLogin, formatUrl, withConnection } from "./sql.ts";

/**
 * PostgreSQL, with streaming replication.
 * @throws LabError `not-possible-here` when there are no programs for this machine
 */
export function createPostgres(plan: ClusterPlan, account: Account | undefined, run: string): DatabaseSystem {
  const binaries = findBinaries(plan.system ?? "embedded", account, run);
  const names = Array.from({ length: 1 + plan.mirrors }, (_, i) => `node${i + 1}`);
  const settings = {
    ...baseSettings(binaries.version),
    max_connections: String(plan.maxConnections),
    ...(plan.synchronous && { synchronous_standby_names: `ANY 1 (${names.join(", ")})` }),
    ...plan.settings,
  };
  return {
    extraPorts: 0,
    launch: ({ directory }) => launch(binaries, directory),
    createEngine: (host) => createEngine(host, settings, binaries.version),
    adminLogin,
    formatUrl,
    connect: withConnection,
    boot: (primary, mirrors, signal) => boot({ binaries, settings, primary, mirrors, signal }),
  };
}

function launch({ postgres }: Binaries, directory: string): Launch {
  return {
    program: postgres,
    args: ["-D", directory],
    // line 8 of postmaster.pid, which pg_ctl uses too. It is written after the ports were opened
    status(pid) {
      try {
        const lines = readFileSync(join(directory, "postmaster.pid"), "utf8").split("\n");
        // the file of a killed predecessor stays until it is overwritten
        if (Number(lines[0]) !== pid) return undefined;
        const status = lines[7]?.trim();
        return status === "ready" ? "ready" : status ? "listening" : undefined;
      } catch {
        return undefined;
      }
    },
  };
}

interface Boot {
  readonly binaries: Binaries;
  readonly settings: Settings;
  readonly primary: Member;
  readonly mirrors: readonly Member[];
  readonly signal: AbortSignal;
}

async function boot({ binaries, settings, primary, mirrors, signal }: Boot): Promise<void> {
  const { account, plan, run, superuser } = primary;
  await initialize(placeOf(primary), { ...plan, binaries, account, cwd: run, settings, superuser, signal });
  // copies of a directory that was never in use are consistent, and share its system identifier
  for (const mirror of mirrors) {
    await copyTree(primary.directory, mirror.directory, { account, signal, skip: (path) => path === "pg_wal" });
    await placeWal(placeOf(mirror), account);
    await copyTree(`${primary.directory}/pg_wal`, `${mirror.directory}/pg_wal`, { account, signal });
    await markAsMirror(mirror);
    await mirror.engine.follow(primary);
  }
  await primary.engine.start();
  await Promise.all(mirrors.map((mirror) => mirror.engine.start()));
  await Promise.all(mirrors.map((mirror) => mirror.engine.waitForStream()));
}

function placeOf(site: Site): { directory: string; walDirectory: string | undefined } {
  return { directory: site.directory, walDirectory: walDirectoryOf(site) };
}
