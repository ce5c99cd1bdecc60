import { createPool } from "@mirrorpool/core";
import { copy } from "@mirrorpool/sync";

// one copy in a process of its own, of the packages as they are published
const [from = "", to = "", tables = "", job = "", connections = "2"] = process.argv.slice(2);
const driverOf = async (url) =>
  url.startsWith("postgres")
    ? (await import("@mirrorpool/pg")).postgres()
    : (await import("@mirrorpool/mysql2")).mysql();
await using source = createPool({ driver: await driverOf(from), nodes: [from] });
await using target = createPool({ driver: await driverOf(to), nodes: [to] });
await copy({
  from: source,
  to: target,
  tables: tables.split(","),
  job,
  createTables: true,
  connections: Number(connections),
});
