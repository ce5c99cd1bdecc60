import { createPool } from "@mirrorpool/core";
import { mysql } from "@mirrorpool/mysql2";
import { postgres } from "@mirrorpool/pg";
import { copy } from "@mirrorpool/sync";

/** Copies between the clusters that the environment names, and says so when it has begun to write rows. */
const open = (urls = "") =>
  createPool({ driver: urls.startsWith("mysql") ? mysql() : postgres(), nodes: urls.split(" ") });
const from = open(process.env["FROM"]);
const to = open(process.env["TO"]);
let isTold = false;
const report = await copy({
  from,
  to,
  chunkBytes: 65_536,
  onProgress: ({ phase }) => {
    if (phase !== "rows" || isTold) return;
    isTold = true;
    process.stdout.write("rows\n");
  },
});
process.stdout.write(`${JSON.stringify(report)}\n`);
await Promise.all([from.close(), to.close()]);
