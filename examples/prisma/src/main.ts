import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { PrismaClient } from "../generated/client.ts";
import { migrate } from "./migrate.ts";
import { report } from "./report.ts";
import { fillShelves, placeOrder } from "./shop.ts";

const ORDERS = 200;
const [config = "plain.config.ts"] = process.argv.slice(2);
const { prisma, migrations } = (await import(pathToFileURL(resolve(config)).href)) as {
  prisma: PrismaClient;
  migrations: string;
};

try {
  await migrate(prisma, resolve(migrations));
  await fillShelves(prisma);
  for (let number = 1; number <= ORDERS; number += 1) {
    const product = ["chair", "desk", "lamp"][number % 3] ?? "";
    const outcome = await placeOrder(prisma, number, product, 1 + (number % 2));
    console.log(`order ${number}: ${outcome}`);
  }
  console.log(JSON.stringify(await report(prisma)));
} finally {
  await prisma.$disconnect();
}
