import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../../..");

function read(folder: string): Readonly<Record<string, string>> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(paths.map((path) => [path.slice(folder.length), readFileSync(path, "utf8")]));
}

test.each([
  ["packages/prisma/test/client", "schema.prisma"],
  ["packages/prisma/test/client-mysql", "schema.prisma"],
  ["examples/prisma", "prisma/schema.prisma"],
  ["examples/prisma/prisma/mysql", "schema.prisma"],
  ["examples/demo", "prisma/schema.prisma"],
  ["examples/demo/prisma/mysql", "schema.prisma"],
])("the client in %s is what Prisma generates of its schema, without the network", async (path, schema) => {
  const folder = join(root, path);
  const copy = mkdtempSync(join(folder, ".generated-"));
  try {
    cpSync(join(folder, schema), join(copy, schema));
    const nowhere = "http://127.0.0.1:9";
    const env = {
      ...process.env,
      CHECKPOINT_DISABLE: "1",
      HTTP_PROXY: nowhere,
      HTTPS_PROXY: nowhere,
      // or it would download the engine for migrations, which it does not use here
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    };
    const prisma = join(root, "packages/prisma/node_modules/.bin/prisma");
    await run(prisma, ["generate", "--schema", join(copy, schema)], { cwd: copy, env, timeout: 50_000 });
    expect(read(join(copy, "generated"))).toEqual(read(join(folder, "generated")));
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
});
