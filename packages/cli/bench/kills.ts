import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCluster } from "@mirrorpool/lab";
import { mirrorpool, type Report } from "./command.ts";
import { followKills } from "./follow-kills.ts";
import { contentOf, fillShop, SCHEMA, TABLES } from "./shop.ts";

const MOST_MS = 1500;
/** What a job says that is begun once more when it was finished; whether it was is checked then. */
const FINISHED = /"code":"(?:REFUSED|TARGET_NOT_EMPTY)".*(?:was finished before|the target holds)/;

/** Copies, backups, restores and followers, each killed at so many random moments: equal in the end, and nothing twice. */
export async function kills(report: Report, count = 20): Promise<void> {
  await using from = await createCluster({ mirrors: 0, proxies: false, system: "system" });
  await using to = await createCluster({ mirrors: 0, proxies: false, system: "system" });
  const [node, target] = [from.primary(), to.primary()];
  await fillShop(node);
  const expected = await contentOf(node);
  const folder = mkdtempSync(join(tmpdir(), "mirrorpool-kills-"));
  const anew = async (withTables: boolean): Promise<void> => {
    await target.query("DROP SCHEMA public CASCADE");
    await target.query("CREATE SCHEMA public AUTHORIZATION app");
    if (!withTables) return;
    for (const text of SCHEMA) await target.query(text);
    for (const table of TABLES) await target.query(`ALTER TABLE ${table} OWNER TO app`);
  };
  /** Killed again and again until it is done, and begun anew until there were so many kills. */
  const untilKilled = async (
    name: string,
    args: readonly string[],
    begin: () => Promise<void>,
    check: () => Promise<boolean>,
  ): Promise<void> => {
    let killed = 0;
    let rounds = 0;
    while (killed < count) {
      await begin();
      rounds += 1;
      for (;;) {
        const isLast = killed >= count;
        const { exitCode, errors } = await mirrorpool(args, isLast ? {} : { killAfterMs: Math.random() * MOST_MS });
        if (exitCode === 0) break;
        // it was killed when all was done, and before it could say so
        if (exitCode !== null && killed > 0 && errors.some((line) => FINISHED.test(line))) break;
        if (exitCode !== null)
          return report.check(
            false,
            `${name} goes on where it was killed${errors.map((line) => `\n  ${line}`).join("")}`,
          );
        killed += 1;
      }
      report.check(await check(), `${name} is equal in the end, after ${killed} kills`);
    }
    console.log(`${name}: ${killed} kills, ${rounds} times done`);
  };
  try {
    const isEqual = async (): Promise<boolean> => (await contentOf(target)) === expected;
    const copy = ["copy", "--from", node.directUrl, "--to", target.directUrl, "--chunk-bytes", "1000000"];
    await untilKilled("copy", copy, () => anew(true), isEqual);
    const store = ["--store", folder];
    await untilKilled(
      "backup",
      ["backup", node.directUrl, ...store, "--chunk-bytes", "1048576", "--keep", "2"],
      async () => {},
      async () => (await mirrorpool(["verify", ...store])).exitCode === 0,
    );
    await untilKilled("restore", ["restore", target.directUrl, ...store], () => anew(false), isEqual);
    await followKills(report, count);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
