const { execFileSync } = require("node:child_process");
const { dirname, join } = require("node:path");

// as the command is called that npm makes of `bin`
const { bin, version } = require("@mirrorpool/cli/package.json");
const main = join(dirname(require.resolve("@mirrorpool/cli/package.json")), bin.mirrorpool);
const told = execFileSync(process.execPath, [main, "--version"], { encoding: "utf8" }).trim();
console.log(JSON.stringify({ isVersion: told === version }));
