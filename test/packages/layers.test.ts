import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

/** What the linter says of a file with this text at this path, in a tree that has nothing but our rules. */
function lint(path: string, text: string): { readonly status: number | null; readonly output: string } {
  const folder = mkdtempSync(join(tmpdir(), "mirrorpool-lint-"));
  try {
    copyFileSync(join(root, "biome.json"), join(folder, "biome.json"));
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
    const options = { cwd: folder, encoding: "utf8" } as const;
    const { status, stdout, stderr } = spawnSync("biome", ["lint", "--vcs-enabled=false", path], options);
    return { status, output: `${stdout}${stderr}` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("the linter", () => {
  test.each([
    ["monitor does not import pool", "packages/core/src/monitor/x.ts", 'import "../pool/lease.ts";\n'],
    ["pool does not import routing", "packages/core/src/pool/x.ts", 'import "../routing/route.ts";\n'],
    ["topology imports nobody", "packages/core/src/topology/x.ts", 'import "../session/session.ts";\n'],
    ["the core imports no database library", "packages/core/src/session/x.ts", 'import "pg";\n'],
    ["adapters do not import each other", "packages/kysely/src/x.ts", 'import "@mirrorpool/knex";\n'],
    ["nor do its layers", "packages/core/src/monitor/x.ts", 'import "pg";\n'],
  ])("refuses what breaks a layer: %s", (_, path, text) => {
    const { status, output } = lint(path, text);
    expect(output).toContain("noRestrictedImports");
    expect(status).not.toBe(0);
  });

  test("refuses a promise in a decision", () => {
    const { status, output } = lint(
      "packages/core/src/routing/route.ts",
      "export const x = (): unknown => Promise.resolve();\n",
    );
    expect(output).toContain("noRestrictedGlobals");
    expect(status).not.toBe(0);
  });

  test("accepts a layer that imports the topology", () => {
    const text = 'import "../topology/node.ts";\n';
    expect(lint("packages/core/src/monitor/x.ts", text)).toMatchObject({ status: 0 });
  });
});
