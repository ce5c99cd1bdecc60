import { createPool, type PoolOptions } from "@mirrorpool/core";
import { mysql } from "@mirrorpool/mysql2";
import { postgres } from "@mirrorpool/pg";
import { backup, type Progress, restore } from "../../src/index.ts";

// a job in a process of its own, to be killed
const [kind = "", urls = "", folder = ""] = process.argv.slice(2);
const nodes = JSON.parse(urls) as { name: string; url: string }[] satisfies PoolOptions["nodes"];
const pool = createPool({ driver: nodes[0]?.url.startsWith("mysql") ? mysql() : postgres(), nodes });
const onProgress = ({ chunks }: Progress): void => void process.stdout.write(`${chunks.done}\n`);
const report =
  kind === "backup"
    ? await backup(pool, { to: folder, chunkBytes: 1024 ** 2, onProgress })
    : await restore(pool, { from: folder, existing: "refuse", onProgress });
const { maxRSS } = process.resourceUsage(); // in KiB
process.stdout.write(`done ${JSON.stringify({ ...report, maxBytes: maxRSS * 1024 })}\n`);
await pool.close();
