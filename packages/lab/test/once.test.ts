import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Child, runChild } from "./children.ts";

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "lab-once-"));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

function want(manner = "make"): Child {
  return runChild("./children/once.ts", [join(parent, "log"), manner], { env: { ...process.env, TMPDIR: parent } });
}

const timesMade = () => readFileSync(join(parent, "log"), "utf8").split("\n").length - 1;
const cached = () => readdirSync(join(parent, `mirrorpool-lab-${process.getuid?.()}`, "cache"));

test("of several processes that want the same at once, one makes it and all get it", async () => {
  const children = Array.from({ length: 4 }, () => want());
  expect(await Promise.all(children.map((child) => child.ended))).toEqual([0, 0, 0, 0]);
  for (const child of children) expect(child.output()).toContain("got 12");
  expect(timesMade()).toBe(1);
  expect(cached()).toEqual(["thing"]);
});

test("what a killed process left unfinished is not taken for finished, and is removed", async () => {
  const killed = want("hang");
  await killed.says("making");
  killed.process.kill("SIGKILL");
  await killed.ended;
  expect(cached()).not.toEqual([]);
  const next = want();
  expect(await next.ended).toBe(0);
  expect(next.output()).toContain("got 12");
  expect(cached()).toEqual(["thing"]);
});

test("what could not be made leaves nothing, and can be made later", async () => {
  const failing = want("fail");
  expect(await failing.ended).toBe(1);
  expect(failing.output()).toContain("it cannot be made");
  expect(cached()).toEqual([]);
  expect(await want().ended).toBe(0);
});
