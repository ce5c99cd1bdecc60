import { backup, restore } from "@mirrorpool/backup";
import { postgres } from "@mirrorpool/pg";

// one job in a process of its own, as pg_dump is one, of the packages as they are published; tells how much memory it took
const [kind = "", url = "", folder = "", form = "text"] = process.argv.slice(2);
const pool = { driver: postgres(), nodes: [url] };
await (kind === "backup"
  ? backup(pool, { to: folder, jobs: 2, form: form === "binary" ? "binary" : "text" })
  : restore(pool, { from: folder, jobs: 2 }));
process.stdout.write(JSON.stringify({ maxBytes: process.resourceUsage().maxRSS * 1024 }));
