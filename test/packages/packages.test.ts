import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { beforeAll, describe, expect, test } from "vitest";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const names = readdirSync(join(root, "packages"));
const directory = (name: string): string => join(root, "packages", name);

beforeAll(async () => {
  const packages = ["backup", "cli", "knex", "kysely", "lab", "mysql2", "prisma", "sync", "typeorm"].map(
    (name) => `packages/${name}`,
  );
  await run("tsc", ["-b", ...packages], { cwd: root }); // and with them all that they use
});

describe.each(names)("package %s", (name) => {
  test("has the files that users need", () => {
    const missing = ["README.md", "package.json", "dist/index.js", "dist/index.d.ts"].filter(
      (file) => !existsSync(join(directory(name), file)),
    );
    expect(missing).toEqual([]);
  });

  test("is packed as publint wants it", async () => {
    const { messages, pkg } = await publint({ pkgDir: directory(name), strict: true, pack: false });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  test("has types that resolve in Node's ESM and in bundlers", async () => {
    const attw = join(root, "test/node_modules/.bin/attw");
    const { stdout } = await run(attw, ["--pack", directory(name), "--profile", "esm-only", "--format", "json"], {
      maxBuffer: 64 * 1024 * 1024,
    });
    const { problems } = JSON.parse(stdout) as { problems: Record<string, { resolutionKind?: string }[]> };
    // the profile leaves these two out: an ES module is no CommonJS, and Node 10 is long gone
    const left = Object.values(problems)
      .flat()
      .filter(({ resolutionKind }) => resolutionKind !== "node10" && resolutionKind !== "node16-cjs");
    expect(left).toEqual([]);
  });

  test("names nothing in its dependencies that is not there, and nothing of this machine", () => {
    const text = readFileSync(join(directory(name), "package.json"), "utf8");
    expect(text).not.toMatch(/"(file|link):/);
  });
});
