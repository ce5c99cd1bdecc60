import { quietCluster, serverOf } from "../lab.ts";
import type { Begin } from "../orms/elsewhere.ts";
import type { Orm } from "../orms/orm.ts";
import { MAX } from "../orms/orm.ts";
import { Rota } from "../orms/rota.ts";
import { ROWS, SELECT, UPDATE } from "../orms/works.ts";
import type { Peer } from "../peers/query.ts";
import type { Cell, Client, OpenSuite, Suite, Target } from "../suite.ts";
import { insertRows, type System } from "../systems/system.ts";

const CONCURRENCIES = [1, 8, 64];

const onMirrorpool = ({ name }: Orm): string => `${name} on mirrorpool`;

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
  const urls = [cluster.primary(), ...cluster.mirrors()].map(({ url }) => url);
  const rota = stack.use(new Rota());
  for (const orm of system.orms) {
    const client = (name: string, work: string, isMirrored: boolean): Client => {
      const begin: Begin = { server: system.kind, orm: orm.name, urls, isMirrored };
      let rounds = 0;
      return {
        name,
        measure: (concurrency, pace, seconds) => rota.measure(begin, rounds++, { work, concurrency, pace, seconds }),
      };
    };
    for (const work of [SELECT, UPDATE]) {
      for (const concurrency of CONCURRENCIES) {
        const clients = [client(onMirrorpool(orm), work, true), client(orm.name, work, false)];
        cells.push({ work, concurrency, clients, reference: orm.name });
      }
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
