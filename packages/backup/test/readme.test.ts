import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { backupErrorCodes } from "../src/index.ts";

const text = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");

test.each(Object.keys(backupErrorCodes))("the README documents the error code %s", (code) => {
  expect(text).toContain(`\`${code}\``);
});
