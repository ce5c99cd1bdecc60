import { createPool } from "@mirrorpool/core";
import { mysql } from "@mirrorpool/mysql2";
import { postgres } from "@mirrorpool/pg";
import { follow } from "@mirrorpool/sync";

/** Follows between the clusters that the environment names until it is killed, and says when it has begun. */
const open = (urls = "") =>
  createPool({ driver: urls.startsWith("mysql") ? mysql() : postgres(), nodes: urls.split(" ") });
const following = await follow({ from: open(process.env["FROM"]), to: open(process.env["TO"]) });
process.stdout.write("begun\n");
await following.ended;
