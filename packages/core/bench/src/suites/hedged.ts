import { createPool } from "@mirrorpool/core";
import { quietCluster, serverOf } from "../lab.ts";
import type { Cell, OpenSuite, Suite } from "../suite.ts";
import { insertRows, type System } from "../systems/system.ts";

const MAX = 10;
const ROWS = 10_000;
const CONCURRENCIES = [8, 64];
const REFERENCE = "mirrorpool";
const HEDGED = "mirrorpool, hedged";
/** Of the reads that many are slow by chance, on whichever node, and would be fast on another try. */
const SLOW_SHARE = 0.02;
const SLOW_SECONDS = 0.2;
/** Of the reads so many may be sent twice. */
const BUDGET = 0.05;

async function open(system: System): Promise<OpenSuite> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await quietCluster(system));
  const openPool = (hedge: number) =>
    stack.use(
      createPool({
        driver: system.driver(),
        nodes: cluster.urls,
        pool: { max: MAX },
        // the mirror answers; what is sent twice goes to the primary as well
        routing: { hedge },
      }),
    );
  const pools = [
    [REFERENCE, openPool(0)],
    [HEDGED, openPool(BUDGET)],
  ] as const;
  const [[, plain]] = pools;
  await plain.query("CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)");
  await insertRows({ query: (text) => plain.query(text) }, "account", ROWS, "0");
  await plain.query(system.analyze("account"));
  await cluster.caughtUp();
  const { random, sleep, values } = system;
  const slow = `CASE WHEN ${random} < ${SLOW_SHARE} THEN ${sleep(SLOW_SECONDS)} END`;
  const text = `SELECT balance, ${slow} FROM account WHERE id = ${values[0]}`;
  const cells: Cell[] = CONCURRENCIES.map((concurrency) => ({
    work: "reads of which some are slow by chance",
    concurrency,
    reference: REFERENCE,
    clients: pools.map(([name, pool]) => ({
      name,
      async operation() {
        const { rows } = await pool.query<{ balance: number }>(text, [1 + Math.floor(Math.random() * ROWS)]);
        return rows[0]?.balance ?? Number.NaN;
      },
    })),
  }));
  const server = await serverOf(cluster, system);
  const opened = stack.move();
  return { cells, server, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** What hedged reads gain where some are slow by chance. */
export const hedged: Suite = {
  name: "hedged",
  title: `reads of which ${SLOW_SHARE * 100} % take ${SLOW_SECONDS * 1000} ms by chance, at most ${BUDGET * 100} % of them sent twice`,
  servers: ["postgres", "mariadb", "mysql"],
  pace: "steady",
  effort: { rounds: 8, seconds: 1 },
  targets: () => [{ client: HEDGED, of: "p99", ratio: 2 }],
  open,
};
