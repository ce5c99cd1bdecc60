import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Kysely } from "kysely";
import { migrate } from "./migrate.ts";
import { report } from "./report.ts";
import { fillShelves, placeOrder } from "./shop.ts";
import type { Shop } from "./tables.ts";

const ORDERS = 200;
const [config = "plain.config.ts"] = process.argv.slice(2);
const { db } = (await import(pathToFileURL(resolve(config)).href)) as { db: Kysely<Shop> };

try {
  await migrate(db);
  await fillShelves(db);
  for (let number = 1; number <= ORDERS; number += 1) {
    const product = ["chair", "desk", "lamp"][number % 3] ?? "";
    const outcome = await placeOrder(db, number, product, 1 + (number % 2));
    console.log(`order ${number}: ${outcome}`);
  }
  console.log(JSON.stringify(await report(db)));
} finally {
  await db.destroy();
}
