import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { createPool, errorCodes, optionRules } from "@mirrorpool/core";
import { postgres } from "@mirrorpool/pg";
import { jobErrorCodes, numberRules } from "@mirrorpool/sync";
import { describe, expect, test } from "vitest";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const readmes = [
  "README.md",
  ...["packages", "examples"].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => `${folder}/${name}/README.md`),
  ),
];
const linked = [
  ...readmes,
  ...["packages/core/bench/README.md", "test/campaign/README.md", "test/simulation/README.md"],
];

describe("the README of the core", () => {
  const text = read("packages/core/README.md");
  const options = Object.entries(optionRules).flatMap(([group, rules]) =>
    Object.entries(rules).map(([key, rule]) => ({ path: `${group}.${key}`, rule })),
  );

  test.each(options)("documents $path with its bounds and default", ({ path, rule }) => {
    const row = text.split("\n").find((line) => line.startsWith(`| \`${path}\` |`));
    const [, , bounds = "", value = ""] = (row ?? "").split("|").map((cell) => cell.trim().replaceAll("`", ""));
    expect(value).toBe(String(rule.default));
    if (rule.type === "choice") expect(bounds).toBe(rule.of.join(", "));
    else if (rule.type !== "boolean") expect(bounds).toBe(`${rule.min} to ${rule.max}`);
  });

  test.each(Object.keys(errorCodes))("documents the error code %s", (code) => {
    expect(text).toContain(`| \`${code}\` |`);
  });

  test("has the SQL of the ledger's table as it is", () => {
    const pool = createPool({ driver: postgres(), nodes: ["postgres://one"] });
    expect(text).toContain(pool.ledgerSchema());
  });

  test("documents every event, and none that does not exist", () => {
    const source = read("packages/core/src/observe/events.ts");
    const body = source.slice(source.indexOf("interface PoolEvents"), source.indexOf("export type PoolEventName"));
    const events = [...body.matchAll(/^ {2}"?([a-z-]+)"?: /gm)].map((match) => match[1]);
    const section = text.slice(text.indexOf("## Events"), text.indexOf("## Limits"));
    const documented = [...section.matchAll(/`([a-z-]+)`/g)].map((match) => match[1]);
    expect(events.length).toBeGreaterThan(10);
    for (const event of events) expect(documented).toContain(event);
  });
});

describe("the README of sync", () => {
  const text = read("packages/sync/README.md");

  test.each(Object.keys(jobErrorCodes))("documents the error code %s", (code) => {
    expect(text).toContain(`| \`${code}\` |`);
  });

  test.each(Object.entries(numberRules))("documents the option %s with its default", (name, rule) => {
    expect(text).toContain(`\`${name}\``);
    expect(text).toContain(String(rule.default));
  });
});

/** As links name them. */
function headingsOf(path: string): string[] {
  return [...read(path).matchAll(/^#+ (.*)$/gm)].map(([, text = ""]) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N} -]/gu, "")
      .replaceAll(" ", "-"),
  );
}

describe("READMEs", () => {
  test.each(readmes)("%s has snippets that type-check", async (path) => {
    const snippets = [...read(path).matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
    if (snippets.length === 0) return;
    // beside the sources, so that the packages are found as everywhere else in this folder
    const folder = mkdtempSync(join(import.meta.dirname, ".snippets-"));
    try {
      snippets.forEach((snippet, index) => {
        writeFileSync(join(folder, `snippet-${index}.ts`), `${snippet}\nexport {};\n`);
      });
      const config = {
        extends: "../../../tsconfig.json",
        compilerOptions: {
          noEmit: true,
          rewriteRelativeImportExtensions: false,
          allowImportingTsExtensions: true,
          // what an application has generated beside its sources
          rootDirs: [".", "../../../packages/prisma/test/client"],
          composite: false,
          isolatedDeclarations: false,
          declaration: false,
          declarationMap: false,
        },
        files: [],
        include: ["*.ts"],
        references: [],
      };
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
      await run("tsc", ["-p", folder]).catch((error: { stdout?: string }) => expect(error.stdout).toBe(""));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test.each(linked)("%s has no link to a file, or a heading of one, that does not exist", (path) => {
    const links = [...read(path).matchAll(/\]\((?!https?:)([^)#]*)#?([^)]*)\)/g)];
    const missing = links.filter(([, file = "", heading = ""]) => {
      const target = file === "" ? path : join(path, "..", file);
      if (!existsSync(join(root, target))) return true;
      if (heading === "") return false;
      return !headingsOf(target.endsWith(".md") ? target : join(target, "README.md")).includes(heading);
    });
    expect(missing.map(([link]) => link)).toEqual([]);
  });
});
