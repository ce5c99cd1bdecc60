import { createPool } from "@mirrorpool/core";
import { postgres } from "@mirrorpool/pg";
import { quietCluster, serverOf } from "../lab.ts";
import { openPgPool } from "../peers/pg.ts";
import { openPostgresJs } from "../peers/postgres-js.ts";
import type { Query } from "../peers/query.ts";
import type { Cell, OpenSuite, Suite } from "../suite.ts";
import type { System } from "../systems/system.ts";

const MAX = 10;
const ROWS = 10_000;
const CONCURRENCIES = [8, 64];
const REFERENCE = "pg.Pool";
const MIRRORPOOL = "mirrorpool";
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

const FAST = "SELECT balance FROM account WHERE id = $1";

const WORKS: readonly Work[] = [
  {
    name: "slow reads of another text",
    read: (query, id, isSlow) =>
      isSlow
        ? balance(query, `SELECT balance, pg_sleep(${SLOW_SECONDS}) FROM account WHERE id = $1`, [id])
        : balance(query, FAST, [id]),
  },
  {
    name: "slow reads of the same text",
    // a report that is quick for most customers: nobody can tell by its text
    read: (query, id, isSlow) =>
      balance(query, "SELECT balance, pg_sleep($2::float8) FROM account WHERE id = $1", [
        id,
        isSlow ? SLOW_SECONDS : 0,
      ]),
  },
];

async function open(system: System): Promise<OpenSuite> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await quietCluster(system));
  const onPrimary = { urls: [cluster.primary().url], max: MAX };
  const plain = stack.use(openPgPool(onPrimary));
  await plain.query("CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)");
  await plain.query("INSERT INTO account SELECT id, 0 FROM generate_series(1, $1::int) AS id", [ROWS]);
  await plain.query("VACUUM ANALYZE account");
  const pool = stack.use(
    createPool({ driver: postgres(), nodes: cluster.urls, pool: { max: MAX }, routing: { readFrom: "primary" } }),
  );
  await pool.start();
  const queries: readonly (readonly [name: string, query: Query])[] = [
    [MIRRORPOOL, (text, values) => pool.query(text, values)],
    ...[plain, stack.use(openPostgresJs(onPrimary))].map(({ name, query }) => [name, query] as const),
  ];

  const cells: Cell[] = WORKS.flatMap(({ name: work, read }) =>
    CONCURRENCIES.map((concurrency) => ({
      work,
      concurrency,
      reference: REFERENCE,
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
  pace: "steady",
  effort: { rounds: 8, seconds: 1 },
  targets: () => [{ client: MIRRORPOOL, of: "p99", ratio: 1 }],
  open,
};
