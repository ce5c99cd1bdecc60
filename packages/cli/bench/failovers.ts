import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { mirrorpool, type Report } from "./command.ts";
import { contentOf, fillShop } from "./shop.ts";

const MOST_MS = 1200;
const MOST_CALLS = 10;

const urlsOf = (cluster: LabCluster): string => cluster.nodes.map(({ directUrl }) => directUrl).join(",");

/** The primary is killed, and its mirror promoted. */
async function failOver(cluster: LabCluster): Promise<void> {
  await cluster.primary().kill();
  await cluster.promote(await cluster.mostAdvancedMirror());
}

/** Backups whose node dies, and restores whose target fails over, each killed as well: whole and equal in the end, and nothing twice. */
export async function failovers(report: Report, rounds = 5): Promise<void> {
  await using from = await createCluster({ mirrors: 1, proxies: false, system: "system" });
  await using to = await createCluster({ mirrors: 1, proxies: false, system: "system" });
  await fillShop(from.primary());
  await from.caughtUp();
  const expected = await contentOf(from.primary());
  const folder = mkdtempSync(join(tmpdir(), "mirrorpool-failovers-"));
  const store = ["--store", folder];
  /** At a random moment the fault; at another one the process is killed; then the same call again, until it is done. */
  const until = async (name: string, args: readonly string[], fault: () => Promise<void>): Promise<void> => {
    let failing: Promise<unknown> | undefined;
    const onMoving = (): void => {
      failing ??= sleep(Math.random() * MOST_MS).then(fault);
    };
    for (let calls = 1; ; calls += 1) {
      const kill = calls === 1 && Math.random() < 0.5 ? { killAfterMs: Math.random() * 2 * MOST_MS } : {};
      const { exitCode, errors } = await mirrorpool(args, { onMoving, ...kill });
      if (exitCode === 0) break;
      const isKilled = exitCode === null;
      if (isKilled && calls < MOST_CALLS) continue;
      report.check(false, `${name} ends whole${errors.map((line) => `\n  ${line}`).join("")}`);
      break;
    }
    await failing;
  };
  try {
    for (let round = 1; round <= rounds; round += 1) {
      const backup = ["backup", urlsOf(from), ...store, "--chunk-bytes", "1048576", "--keep", "2"];
      // by turns the mirror that is read, and the primary, which a mirror follows
      const isOfMirror = round % 2 === 1;
      await until("backup", backup, () =>
        isOfMirror ? (from.mirrors()[0]?.kill() ?? Promise.resolve()) : failOver(from),
      );
      report.check((await mirrorpool(["verify", ...store])).exitCode === 0, `backup ${round} is whole`);
      await mend(from);
      await to.primary().query("DROP SCHEMA public CASCADE");
      await to.primary().query("CREATE SCHEMA public AUTHORIZATION app");
      await to.caughtUp();
      await until("restore", ["restore", urlsOf(to), ...store], () => failOver(to));
      report.check((await contentOf(to.primary())) === expected, `restore ${round} is equal`);
      await mend(to);
      console.log(`round ${round}: done`);
    }
    console.log(`${rounds} backups whose node died, ${rounds} restores whose target failed over`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The node that died comes back as a mirror. */
async function mend(cluster: LabCluster): Promise<void> {
  const primary = cluster.primary();
  for (const node of cluster.nodes) if (node !== primary) await cluster.rejoin(node);
  await cluster.caughtUp();
}
