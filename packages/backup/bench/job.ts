import { postgres } from "@mirrorpool/pg";
import { backup, restore } from "../src/index.ts";

// one job in a process of its own, as pg_dump is one; tells how much memory it took
const [kind = "", url = "", folder = ""] = process.argv.slice(2);
const pool = { driver: postgres(), nodes: [url] };
await (kind === "backup" ? backup(pool, { to: folder, jobs: 2 }) : restore(pool, { from: folder, jobs: 2 }));
process.stdout.write(JSON.stringify({ maxBytes: process.resourceUsage().maxRSS * 1024 }));
