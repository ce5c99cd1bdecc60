import { createPool } from "@mirrorpool/core";
import { mysql } from "@mirrorpool/mysql2";
import { postgres } from "@mirrorpool/pg";
import { copy } from "@mirrorpool/sync";

// one copy in a process of its own, of the packages as they are published
const [from = "", to = "", tables = "", job = "", connections = "2"] = process.argv.slice(2);
const open = (url) => createPool({ driver: url.startsWith("postgres") ? postgres() : mysql(), nodes: [url] });
await using source = open(from);
await using target = open(to);
await copy({
  from: source,
  to: target,
  tables: tables.split(","),
  job,
  createTables: true,
  connections: Number(connections),
});
