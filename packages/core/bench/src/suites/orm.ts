import pg from "pg";
import { quietCluster, serverOf } from "../lab.ts";
import { orms } from "../orms/index.ts";
import type { Application, Orm } from "../orms/orm.ts";
import { MAX } from "../orms/orm.ts";
import type { Cell, OpenSuite, Suite } from "../suite.ts";

const ROWS = 100_000;
const CONCURRENCIES = [1, 8, 64];

const SELECT = "select by primary key";

const onMirrorpool = ({ name }: Orm): string => `${name} on mirrorpool`;

/** What is done with each of them. Throws when the answer is not the one that was asked for. */
const WORKS: readonly (readonly [name: string, run: (application: Application, id: number) => Promise<number>])[] = [
  [
    SELECT,
    async (application, id) => {
      const order = await application.find(id);
      if (order?.id !== id) throw new Error(`asked for order ${id}, got ${order?.id}`);
      return order.item.length;
    },
  ],
  [
    "update of one row",
    async (application, id) => {
      const count = await application.update(id, `item ${id}`);
      if (count !== 1) throw new Error(`updated ${count} rows, expected 1`);
      return count;
    },
  ],
];

const anyId = (): number => 1 + Math.floor(Math.random() * ROWS);

async function fill(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  // room on each page, so that updates stay there and the table does not grow
  await client.query("CREATE TABLE orders (id int PRIMARY KEY, item text NOT NULL) WITH (fillfactor = 50)");
  await client.query("INSERT INTO orders SELECT id, 'item' FROM generate_series(1, $1::int) AS id", [ROWS]);
  await client.query("VACUUM ANALYZE orders");
  await client.end();
}

async function open(): Promise<OpenSuite> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await quietCluster());
  await fill(cluster.primary().url);
  await cluster.caughtUp();

  const cells: Cell[] = [];
  for (const orm of orms) {
    const opened = async (application: Application | Promise<Application>): Promise<Application> =>
      stack.adopt(await application, (each) => each.close().then(() => {}));
    const plain = await opened(orm.plain(cluster.primary().url));
    const source = { nodes: cluster.urls, pool: { max: MAX }, routing: { readFrom: "primary" } } as const;
    const mirrored = await opened(orm.mirrored(source));
    for (const [work, run] of WORKS) {
      const clients = [
        { name: onMirrorpool(orm), operation: () => run(mirrored, anyId()) },
        { name: orm.name, operation: () => run(plain, anyId()) },
      ];
      for (const concurrency of CONCURRENCIES) cells.push({ work, concurrency, clients, reference: orm.name });
    }
  }
  const server = await serverOf(cluster);
  const opened = stack.move();
  return { cells, server, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** What each ORM answers on mirrorpool, beside the same ORM on a pool of its own. */
export const orm: Suite = {
  name: "orm",
  title: `each ORM on mirrorpool, beside the same on its own pool, ${MAX} connections each`,
  pace: "steady",
  targets: orms.map(onMirrorpool).flatMap((client) => [
    { client, ratio: 0.95 },
    { client, work: SELECT, concurrency: 64, ratio: 1.3 },
  ]),
  open,
};
