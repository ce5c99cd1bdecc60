import type { FailoverPool, PoolOptions, PoolSession } from "@mirrorpool/core";
import { createPool } from "@mirrorpool/core";
import type { LabCluster } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";
import pg from "pg";
import { heapGrowth } from "../heap.ts";
import { quietCluster, serverOf } from "../lab.ts";
import type { Cell, Client, Figure, OpenSuite, Suite } from "../suite.ts";
import type { System } from "../systems/system.ts";

const MAX = 10;
const ROWS = 10_000;
const CONCURRENCIES = [1, 8];
const REFERENCE = "mirrorpool, all off";
const RECORDING = "recording for replay";
const LEDGER = "exactlyOnce";
const PLAIN = "pg.Pool";
const MIRRORED = "durability: mirrored";
const TRANSACTION = "transaction, 3 statements";
const SINGLE = "single write";
/** In cells of their own: whoever comes after a client that mostly waits finds its code and its caches cold. */
const TRANSACTION_MIRRORED = "transaction, mirrored";
const SINGLE_MIRRORED = "single write, mirrored";

/** Each client is the reference with one thing switched on. */
const CLIENTS: readonly (readonly [name: string, options: Partial<PoolOptions>])[] = [
  [REFERENCE, {}],
  [RECORDING, { replay: {} }],
  [LEDGER, { exactlyOnce: true }],
  [MIRRORED, { durability: "mirrored" }],
];

const OPEN_TRANSACTIONS = 50;
const STATEMENTS_EACH = 20;

function openPool(cluster: LabCluster, options: Partial<PoolOptions>): FailoverPool {
  const nodes = cluster.urls;
  return createPool({ driver: postgres(), nodes, pool: { max: MAX }, replay: { maxStatements: 0 }, ...options });
}

/** Rows of different callers hardly ever meet: waiting for a lock is not what is measured. */
const anyId = (): number => 1 + Math.floor(Math.random() * ROWS);

async function runTransaction(pool: FailoverPool): Promise<number> {
  const id = anyId();
  return pool.transaction(async (tx) => {
    const { rows } = await tx.query<{ balance: number }>("SELECT balance FROM account WHERE id = $1", [id]);
    await tx.query("UPDATE account SET balance = balance + 1 WHERE id = $1", [id]);
    await tx.query("INSERT INTO movement (account) VALUES ($1)", [id]);
    return rows[0]?.balance ?? Number.NaN;
  });
}

/** The same by hand, as it is done without any help. */
async function runPlainTransaction(pool: pg.Pool): Promise<number> {
  const id = anyId();
  const client = await pool.connect();
  await client.query("BEGIN");
  const { rows } = await client.query<{ balance: number }>("SELECT balance FROM account WHERE id = $1", [id]);
  await client.query("UPDATE account SET balance = balance + 1 WHERE id = $1", [id]);
  await client.query("INSERT INTO movement (account) VALUES ($1)", [id]);
  await client.query("COMMIT");
  client.release();
  return rows[0]?.balance ?? Number.NaN;
}

async function runSingle(pool: FailoverPool): Promise<number> {
  const { rowCount } = await pool.query("UPDATE account SET balance = balance + 1 WHERE id = $1", [anyId()]);
  return rowCount ?? Number.NaN;
}

/** What the process holds for each transaction that is open: its session, and its statements where they are recorded. */
async function memoryOf(pool: FailoverPool): Promise<number> {
  const sessions: PoolSession[] = [];
  const begin = async (): Promise<void> => {
    const session = await pool.connect();
    sessions.push(session);
    await session.query("BEGIN");
    for (let count = 1; count < STATEMENTS_EACH; count += 1) {
      await session.query("SELECT balance FROM account WHERE id = $1", [anyId()]);
    }
  };
  const end = async (): Promise<void> => {
    for (const session of sessions.splice(0)) {
      await session.query("ROLLBACK");
      session.release();
    }
  };
  const bytes = await heapGrowth(() => Promise.all(Array.from({ length: OPEN_TRANSACTIONS }, begin)), end);
  return bytes / OPEN_TRANSACTIONS;
}

async function figures(cluster: LabCluster): Promise<Figure[]> {
  const result: Figure[] = [];
  for (const [name, options] of CLIENTS.slice(0, 2)) {
    await using pool = openPool(cluster, { ...options, pool: { max: OPEN_TRANSACTIONS } });
    const what = `${name}: memory of an open transaction of ${STATEMENTS_EACH} statements`;
    result.push({ name: what, value: await memoryOf(pool), unit: "bytes" });
  }
  return result;
}

async function open(system: System): Promise<OpenSuite> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await quietCluster(system));
  const pools = new Map<string, FailoverPool>();
  for (const [name, options] of CLIENTS) pools.set(name, stack.use(openPool(cluster, options)));
  const bare = stack.adopt(new pg.Pool({ connectionString: cluster.primary().url, max: MAX }), (pool) => pool.end());
  const plain: Client = { name: PLAIN, operation: () => runPlainTransaction(bare) };
  await bare.query((pools.get(LEDGER) as FailoverPool).ledgerSchema()); // one of the clients
  await bare.query("CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL) WITH (fillfactor = 50)");
  await bare.query("CREATE TABLE movement (account int NOT NULL)");
  await bare.query("INSERT INTO account SELECT id, 0 FROM generate_series(1, $1::int) AS id", [ROWS]);
  await bare.query("VACUUM ANALYZE account");
  await cluster.caughtUp();
  for (const pool of pools.values()) await pool.start();

  type Run = (pool: FailoverPool) => Promise<number>;
  const cells = (work: string, run: Run, names: readonly string[], others: readonly Client[] = []): Cell[] => {
    const ours: Client[] = [...pools]
      .filter(([name]) => name === REFERENCE || names.includes(name))
      .map(([name, pool]) => ({ name, operation: () => run(pool) }));
    const clients = [...ours, ...others];
    return CONCURRENCIES.map((concurrency) => ({ work, concurrency, clients, reference: REFERENCE }));
  };
  const opened = stack.move();
  return {
    cells: [
      ...cells(TRANSACTION, runTransaction, [RECORDING, LEDGER], [plain]),
      ...cells(SINGLE, runSingle, [LEDGER]),
      ...cells(TRANSACTION_MIRRORED, runTransaction, [MIRRORED]),
      ...cells(SINGLE_MIRRORED, runSingle, [MIRRORED]),
    ],
    server: await serverOf(cluster, system),
    findings: async () => ({ figures: await figures(cluster) }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** What the commit ledger, the recording for replay and waiting for a mirror cost, each by itself. */
export const exactlyOnce: Suite = {
  name: "exactly-once",
  title: `what the ledger, recording and mirrored commits cost, on a PostgreSQL of this machine`,
  pace: "steady",
  targets: () => [
    { client: LEDGER, work: TRANSACTION, ratio: 0.8 }, // at most 1.25 times the time
    { client: LEDGER, work: TRANSACTION, over: PLAIN, ratio: 0.8 },
    { client: LEDGER, work: SINGLE, ratio: 0.45 }, // at most 2.2 times
    { client: RECORDING, work: TRANSACTION, ratio: 0.95 }, // at most 1.05 times
  ],
  open,
};
