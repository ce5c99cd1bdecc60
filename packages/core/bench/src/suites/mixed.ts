import { createPool } from "@mirrorpool/core";
import { quietCluster, serverOf } from "../lab.ts";
import type { Peer, Query } from "../peers/query.ts";
import type { Cell, OpenSuite, Suite } from "../suite.ts";
import { insertRows, type System } from "../systems/system.ts";

const MAX = 10;
const ROWS = 10_000;
const CONCURRENCIES = [8, 64];
const MIRRORPOOL = "mirrorpool";
/** The bare pool, and another library that sends its statements one behind the other. */
const PEERS = 2;
/** Of the reads are slow, and rest on the server for so long. */
const SLOW_SHARE = 0.05;
const SLOW_SECONDS = 0.2;

interface Work {
  readonly name: string;
  /** Runs one read that is slow, or not. */
  read(query: Query, id: number, isSlow: boolean): Promise<number>;
}

async function balance(query: Query, text: string, values: unknown[]): Promise<number> {
  const { rows } = await query<{ balance: number }>(text, values);
  return rows[0]?.balance ?? Number.NaN;
}

const worksOn = ({ sleep, values: [first, second] }: System): readonly Work[] => {
  const fast = `SELECT balance FROM account WHERE id = ${first}`;
  const slow = `SELECT balance, ${sleep(SLOW_SECONDS)} FROM account WHERE id = ${first}`;
  const either = `SELECT balance, ${sleep(first)} FROM account WHERE id = ${second}`;
  return [
    {
      name: "slow reads of another text",
      read: (query, id, isSlow) => balance(query, isSlow ? slow : fast, [id]),
    },
    {
      name: "slow reads of the same text",
      // a report that is quick for most customers: nobody can tell by its text
      read: (query, id, isSlow) => balance(query, either, [isSlow ? SLOW_SECONDS : 0, id]),
    },
  ];
};

async function open(system: System): Promise<OpenSuite> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await quietCluster(system));
  const onPrimary = { urls: [cluster.primary().url], max: MAX };
  const peers = system
    .peers(onPrimary)
    .map((peer) => stack.use(peer))
    .slice(0, PEERS);
  const [plain] = peers as [Peer]; // there is one at least
  await plain.query("CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)");
  await insertRows(plain, "account", ROWS, "0");
  await plain.query(system.analyze("account"));
  await cluster.caughtUp();
  const pool = stack.use(
    createPool({ driver: system.driver(), nodes: cluster.urls, pool: { max: MAX }, routing: { readFrom: "primary" } }),
  );
  await pool.start();
  const queries: readonly (readonly [name: string, query: Query])[] = [
    [MIRRORPOOL, (text, values) => pool.query(text, values)],
    ...peers.map(({ name, query }) => [name, query] as const),
  ];

  const cells: Cell[] = worksOn(system).flatMap(({ name: work, read }) =>
    CONCURRENCIES.map((concurrency) => ({
      work,
      concurrency,
      reference: plain.name,
      clients: queries.map(([name, query]) => ({
        name,
        async operation() {
          const isSlow = Math.random() < SLOW_SHARE;
          const answer = await read(query, 1 + Math.floor(Math.random() * ROWS), isSlow);
          return isSlow ? undefined : answer;
        },
      })),
    })),
  );
  const server = await serverOf(cluster, system);
  const opened = stack.move();
  return { cells, server, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** How long fast reads take while some others are slow. */
export const mixed: Suite = {
  name: "mixed",
  title: `fast reads while ${SLOW_SHARE * 100} % of the reads take ${SLOW_SECONDS * 1000} ms; the latencies are those of the fast ones`,
  servers: ["postgres", "mariadb", "mysql"],
  pace: "steady",
  effort: { rounds: 8, seconds: 1 },
  targets: () => [{ client: MIRRORPOOL, of: "p99", ratio: 1 }],
  open,
};
