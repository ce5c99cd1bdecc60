import { createPool } from "@mirrorpool/core";
import { mysql } from "@mirrorpool/mysql2";
import { postgres } from "@mirrorpool/pg";
import { type Unit, UnitWorker } from "@mirrorpool/sync";

/** Does units that its parent sends, between the clusters that the environment names. */
const open = (nodes = "[]") => {
  const known = JSON.parse(nodes) as { name: string; url: string }[];
  return createPool({ driver: known[0]?.url.startsWith("mysql") ? mysql() : postgres(), nodes: known });
};
const from = open(process.env["FROM"]);
const to = open(process.env["TO"]);
const worker = new UnitWorker(from, to);
process.on("message", async ({ id, unit }: { id: number; unit: Unit }) => {
  process.send?.({ id, outcome: await worker.run(unit, new AbortController().signal) });
});
process.on("disconnect", async () => {
  await worker.close();
  await Promise.all([from.close(), to.close()]);
});
