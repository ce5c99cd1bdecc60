// A program that wants something from the cache, and says what it got, or that it began to make it and hangs.
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onceMade } from "../../src/platform/once.ts";

const [, , log = "", manner = ""] = process.argv;
const path = await onceMade("thing", async (folder) => {
  appendFileSync(log, "made\n");
  writeFileSync(join(folder, "half"), "1");
  process.stdout.write("making\n");
  if (manner === "hang") await sleep(60_000);
  if (manner === "fail") throw new Error("it cannot be made");
  await sleep(100);
  writeFileSync(join(folder, "other-half"), "2");
});
process.stdout.write(
  `got ${readFileSync(join(path, "half"), "utf8")}${readFileSync(join(path, "other-half"), "utf8")}\n`,
);
