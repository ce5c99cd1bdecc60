import { readdirSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createCluster } from "../src/index.ts";
import { until } from "../src/wait.ts";
import { connectTo, failureOf } from "./application.ts";
import { runChild } from "./children.ts";
import { NO_TRACES, tracesIn } from "./traces.ts";

const DISK_BYTES = 96 * 1024 ** 2;
const BULK = "INSERT INTO t SELECT repeat('x', 1000) FROM generate_series(1, 2000)";
const isRoot = process.getuid?.() === 0;

if (isRoot) {
  test("on a full disk writes fail with 53100, reads go on, and freeing it heals", async () => {
    await using cluster = await createCluster({ mirrors: 1, diskBytes: DISK_BYTES });
    const primary = cluster.primary();
    const { client } = await connectTo(primary.url);
    await client.query("CREATE TABLE t (v text)");
    await client.query(BULK);
    await primary.fillDisk();
    expect(await failureOf(client.query(BULK))).toBe("53100");
    expect((await client.query("SELECT count(*)::int AS n FROM t")).rows).toEqual([{ n: 2000 }]);
    expect(primary.isRunning).toBe(true);
    // the mirror has a disk of its own
    await cluster.caughtUp();
    await primary.freeDisk();
    await client.query(BULK);
    await cluster.caughtUp();
  });

  test("a node with a disk fails over and rejoins, also with its disk full", async () => {
    await using cluster = await createCluster({ mirrors: 1, diskBytes: DISK_BYTES });
    await cluster.primary().fillDisk();
    await cluster.primary().kill();
    await cluster.promote("node2");
    await cluster.rejoin("node1");
    await cluster.switchover("node1");
    expect(cluster.primary().name).toBe("node1");
  });

  test.each(["close", "exit", "SIGTERM", "SIGKILL"])("its mounts are gone after %s", async (ending) => {
    const parent = await mkdtemp(join(tmpdir(), "lab-disk-"));
    onTestFinished(() => rm(parent, { recursive: true, force: true }));
    await chmod(parent, 0o755);
    const home = join(parent, `mirrorpool-lab-${process.getuid?.()}`);
    const child = runChild("./children/lab.ts", [parent, ending, JSON.stringify({ diskBytes: DISK_BYTES })]);
    await child.says("up");
    if (ending.startsWith("SIG")) child.process.kill(ending as NodeJS.Signals);
    await child.ended;
    await until("the traces to be gone", () => JSON.stringify(tracesIn(home)) === JSON.stringify(NO_TRACES));
    if (ending !== "SIGKILL") expect(readdirSync(parent)).toEqual([]);
  });
} else {
  test("without root a disk of its own is not possible, and the error says so", async () => {
    await expect(createCluster({ mirrors: 0, diskBytes: DISK_BYTES })).rejects.toMatchObject({
      code: "not-possible-here",
      message: expect.stringContaining("diskBytes needs Linux, root"),
    });
  });
}
