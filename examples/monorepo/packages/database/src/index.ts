import { createPool, type FailoverPool } from "@mirrorpool/core";
import { postgres } from "@mirrorpool/pg";

/** What the other packages put their ORMs on. */
export type Database = FailoverPool;

/** The one pool of the program. It connects with the first query; who opens it closes it. */
export function openDatabase(nodes: readonly string[]): Database {
  const database = createPool({
    driver: postgres(),
    nodes,
    applicationName: "shop",
    pool: { max: 5 },
    exactlyOnce: true,
  });
  database.on("primary-changed", ({ node, reason }) => console.log(`the primary is ${node} (${reason})`));
  return database;
}
