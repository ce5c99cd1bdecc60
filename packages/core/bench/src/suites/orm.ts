import { quietCluster, serverOf } from "../lab.ts";
import type { Application, Orm } from "../orms/orm.ts";
import { MAX } from "../orms/orm.ts";
import type { Peer } from "../peers/query.ts";
import type { Cell, OpenSuite, Suite, Target } from "../suite.ts";
import { insertRows, type System } from "../systems/system.ts";

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

async function fill(url: string, { peers, roomy, analyze }: System): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const [plain] = peers({ urls: [url], max: 1 }).map((peer) => stack.use(peer)) as [Peer]; // there is one at least
  await plain.query(`CREATE TABLE orders (id int PRIMARY KEY, item varchar(100) NOT NULL) ${roomy}`);
  await insertRows(plain, "orders", ROWS, "'item'");
  await plain.query(analyze("orders"));
}

async function open(system: System): Promise<OpenSuite> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await quietCluster(system));
  await fill(cluster.primary().url, system);
  await cluster.caughtUp();

  const cells: Cell[] = [];
  for (const orm of system.orms) {
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
  const server = await serverOf(cluster, system);
  const opened = stack.move();
  return { cells, server, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** What each ORM answers on mirrorpool, beside the same ORM on a pool of its own. */
export const orm: Suite = {
  name: "orm",
  title: `each ORM on mirrorpool, beside the same on its own pool, ${MAX} connections each`,
  servers: ["postgres", "mariadb", "mysql"],
  pace: "steady",
  targets: ({ kind, orms }) =>
    orms
      .map(onMirrorpool)
      .flatMap((client): Target[] => [
        { client, ratio: 0.95 },
        ...(kind === "postgres" ? [{ client, work: SELECT, concurrency: 64, ratio: 1.3 }] : []),
      ]),
  open,
};
