import type { FailoverPool } from "@mirrorpool/core";
import { createPool } from "@mirrorpool/core";
import type { LabCluster } from "@mirrorpool/lab";
import { quietCluster, serverOf } from "../lab.ts";
import type { Peer, Query } from "../peers/query.ts";
import type { Cell, Client, OpenSuite, Suite, Target } from "../suite.ts";
import { insertRows, type System } from "../systems/system.ts";

const MAX = 10;
const ROWS = 100_000;
const CONCURRENCIES = [1, 8, 64];
const MIRRORPOOL = "mirrorpool";
const TRIVIAL = "SELECT 1";
const SELECT = "select by primary key";
const UPDATE = "update of one row";

/** One statement, with what makes the number of its result. Throws when the answer is not the one that was asked for. */
interface Work {
  readonly name: string;
  readonly isRead: boolean;
  run(query: Query): Promise<number>;
}

interface Account {
  readonly id: number;
  readonly balance: number;
}

const anyId = (): number => 1 + Math.floor(Math.random() * ROWS);

const worksOn = ({ values: [first] }: System): readonly Work[] => [
  {
    name: TRIVIAL,
    isRead: true,
    run: async (query) => (await query<{ one: number }>("SELECT 1 AS one")).rows[0]?.one ?? Number.NaN,
  },
  {
    name: SELECT,
    isRead: true,
    async run(query) {
      const id = anyId();
      const { rows } = await query<Account>(`SELECT id, balance FROM account WHERE id = ${first}`, [id]);
      if (rows[0]?.id !== id) throw new Error(`asked for account ${id}, got ${rows[0]?.id}`);
      return rows[0].balance;
    },
  },
  {
    name: UPDATE,
    isRead: false,
    async run(query) {
      const { rowCount } = await query(`UPDATE account SET balance = balance + 1 WHERE id = ${first}`, [anyId()]);
      if (rowCount !== 1) throw new Error(`updated ${rowCount} rows, expected 1`);
      return rowCount;
    },
  },
];

async function fill(plain: Peer, { roomy, analyze }: System): Promise<void> {
  await plain.query(`CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL) ${roomy}`);
  await insertRows(plain, "account", ROWS, "0");
  await plain.query(analyze("account"));
}

function openMirrorpool({ driver }: System, cluster: LabCluster, readFrom: "primary" | "mirrors"): FailoverPool {
  return createPool({ driver: driver(), nodes: cluster.urls, pool: { max: MAX }, routing: { readFrom } });
}

async function open(system: System): Promise<OpenSuite> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await quietCluster(system));
  const peers = system.peers({ urls: [cluster.primary().url], max: MAX }).map((peer) => stack.use(peer));
  const [plain] = peers as [Peer]; // there is one at least
  await fill(plain, system);
  await cluster.caughtUp();
  const fromPrimary = stack.use(openMirrorpool(system, cluster, "primary"));
  const fromMirrors = stack.use(openMirrorpool(system, cluster, "mirrors"));
  await fromPrimary.start();
  await fromMirrors.start();

  const clients = (work: Work): Client[] => {
    const client = (name: string, query: Query): Client => ({ name, operation: () => work.run(query) });
    return [
      client(MIRRORPOOL, (text, values) => fromPrimary.query(text, values)),
      ...(work.isRead ? [client("mirrorpool, mirrors", (text, values) => fromMirrors.query(text, values))] : []),
      ...peers.map(({ name, query }) => client(name, query)),
    ];
  };
  const cells: Cell[] = worksOn(system).flatMap((work) =>
    CONCURRENCIES.map((concurrency) => ({
      work: work.name,
      concurrency,
      clients: clients(work),
      reference: plain.name,
    })),
  );
  const server = await serverOf(cluster, system);
  const opened = stack.move();
  return { cells, server, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

const target = (work: string, concurrency: number, ratio: number): Target => ({
  client: MIRRORPOOL,
  work,
  concurrency,
  ratio,
});

/** A safe write has its connection to itself: it gains by being prepared, and by leaving together with others. */
const TARGETS: Readonly<Record<"postgres" | "mysql", readonly Target[]>> = {
  postgres: [
    { client: MIRRORPOOL, work: TRIVIAL, ratio: 0.95 },
    target(SELECT, 1, 1),
    target(SELECT, 8, 1.8),
    target(SELECT, 64, 2.3),
    target(UPDATE, 1, 0.95),
    target(UPDATE, 8, 1.2),
    target(UPDATE, 64, 1.2),
    { ...target(SELECT, 64, 8), over: "aws-advanced-nodejs-wrapper" },
  ],
  mysql: [
    { client: MIRRORPOOL, work: TRIVIAL, ratio: 0.95 },
    target(SELECT, 1, 1),
    target(SELECT, 8, 1.2),
    target(SELECT, 64, 1.2),
    { client: MIRRORPOOL, work: UPDATE, ratio: 0.95 },
  ],
};

/** What a statement costs end to end, on a real server on this machine. */
export const query: Suite = {
  name: "query",
  title: `statements on a server of this machine, ${MAX} connections each`,
  servers: ["postgres", "mariadb", "mysql"],
  pace: "steady",
  targets: ({ kind }) => TARGETS[kind === "postgres" ? "postgres" : "mysql"],
  open,
};
