import { type Database, openDatabase } from "@shop/database";
import { openOrders } from "@shop/orders";
import { openReports } from "@shop/reports";

const ORDERS = 200;
const PRODUCTS = ["chair", "desk", "lamp"];

await using database = openDatabase((process.env["DATABASE_URLS"] ?? "").split(","));
const orders = openOrders(database);
const reports = openReports(database);
try {
  await orders.createTables(PRODUCTS);
  for (let number = 1; number <= ORDERS; number += 1) {
    await orders.place(number, PRODUCTS[number % PRODUCTS.length] ?? "");
    // on a mirror, most likely: and it has what the other package has just written
    const totals = await reports.totals();
    console.log(`order ${number}: ${totals.orders} orders, ${totals.sold} sold`);
  }
  console.log(JSON.stringify(summary(database)));
} finally {
  await orders.close();
  await reports.close();
}

/** Statements of both packages are counted in one place, because they went through one pool. */
function summary(shared: Database): Readonly<Record<string, unknown>> {
  const { transactions, reads, nodes } = shared.stats();
  const connections = Object.fromEntries(Object.entries(nodes).map(([name, { idle, inUse }]) => [name, idle + inUse]));
  return { transactions, reads, connections };
}
