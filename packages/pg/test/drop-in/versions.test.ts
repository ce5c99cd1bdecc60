import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, beforeAll, expect, test } from "vitest";
import { soon } from "./support.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 1 });
});
afterAll(() => cluster?.close());

test.each([
  ["newest", "8.23"],
  ["oldest", "8.16.3"],
])("on the %s pg all of it works, and nothing keeps the process once it is closed", async (version, number) => {
  const script = fileURLToPath(new URL("../children/drop-in.ts", import.meta.url));
  await cluster.primary().query("DROP TABLE IF EXISTS old");
  const child = spawn(process.execPath, ["--conditions=mirrorpool-source", script, version, ...cluster.urls], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data: Buffer) => {
      output += data.toString();
    });
  }
  try {
    const code = await soon("the process", new Promise((resolve) => child.on("close", resolve)), 30_000);
    expect(output).toContain(number);
    expect(output).toContain("all is well");
    expect(code).toBe(0);
  } finally {
    child.kill("SIGKILL");
  }
});
