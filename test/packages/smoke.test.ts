import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");

/** The Node that the machine has, and not the newer one that the workspace brings along. */
function machineNode(): string {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
  const found = folders.map((folder) => join(folder, "node")).find((path) => existsSync(path));
  if (found === undefined) throw new Error("no node outside of node_modules on the PATH");
  return found;
}

beforeAll(async () => {
  const packages = ["backup", "cli", "knex", "kysely", "lab", "prisma", "sync", "typeorm"].map(
    (name) => `packages/${name}`,
  );
  await run("tsc", ["-b", ...packages], { cwd: root }); // and with them all that they use
});

test.each([
  ["application.mjs", { sum: 2, same: 2, own: "function", intent: "read" }],
  ["application.cjs", { sum: 2, same: 2, own: "function", intent: "read" }],
  ["backup.mjs", { code: "NOT_FOUND" }],
  ["backup.cjs", { code: "NOT_FOUND" }],
  ["cli.mjs", { nodes: 1 }],
  ["cli.cjs", { isVersion: true }],
  ["knex.mjs", { sum: 2 }],
  ["knex.cjs", { sum: 2 }],
  ["kysely.mjs", { sum: 2 }],
  ["kysely.cjs", { sum: 2 }],
  ["prisma.mjs", { sum: 2 }],
  ["prisma.cjs", { sum: 2 }],
  ["typeorm.mjs", { sum: 2 }],
  ["typeorm.cjs", { sum: 2 }],
])("the built packages work on the machine's own Node: %s", async (file, expected) => {
  const { stdout, stderr } = await run(machineNode(), [join(import.meta.dirname, "smoke", file)], { timeout: 30_000 });
  expect(JSON.parse(stdout)).toMatchObject(expected);
  expect(stderr).toBe("");
});
