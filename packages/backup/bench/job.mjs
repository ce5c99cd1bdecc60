import { createPool } from "@mirrorpool/core";
import { postgres } from "@mirrorpool/pg";

// one job in a process of its own, as pg_dump is one, of the packages as they are published; tells how much memory it took
const [kind = "", url = "", place = "", form = "text"] = process.argv.slice(2);
const driver = postgres();
const pool = { driver, nodes: [url] };
if (kind === "copy") {
  const { copy } = await import("@mirrorpool/sync");
  await using from = createPool(pool);
  await using to = createPool({ driver, nodes: [place] });
  await copy({ from, to, connections: 2 });
} else {
  const { backup, restore } = await import("@mirrorpool/backup");
  if (kind === "backup") await backup(pool, { to: place, jobs: 2, form: form === "binary" ? "binary" : "text" });
  if (kind === "restore") await restore(pool, { from: place, jobs: 2 });
}
process.stdout.write(JSON.stringify({ maxBytes: process.resourceUsage().maxRSS * 1024 }));
