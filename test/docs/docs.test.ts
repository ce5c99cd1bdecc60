import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { errorCodes, optionRules } from "@mirrorpool/core";
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

  test.each(readmes)("%s has no link to a file that does not exist", (path) => {
    const links = [...read(path).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map((match) => match[1] ?? "");
    const missing = links.filter((link) => {
      try {
        readdirSync(join(root, path, "..", link));
        return false;
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === "ENOENT";
      }
    });
    expect(missing).toEqual([]);
  });
});
