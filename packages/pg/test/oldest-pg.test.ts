import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, beforeAll, expect, test } from "vitest";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 1 });
});
afterAll(() => cluster?.close());

test("the oldest supported version of pg does what the newest does", async () => {
  const script = fileURLToPath(new URL("./children/on-oldest-pg.ts", import.meta.url));
  const child = spawn(process.execPath, ["--conditions=mirrorpool-source", script, ...cluster.urls], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data: Buffer) => {
      output += data.toString();
    });
  }
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect(output).toContain("8.16.3");
  expect(output).toContain("all is well");
  expect(output.split("reads share no connections")).toHaveLength(2);
  expect(code).toBe(0);
});
