import type { FailoverPool } from "@mirrorpool/core";
import { createPool } from "@mirrorpool/core";
import type { LabCluster } from "@mirrorpool/lab";
import { createCluster } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";
import pg from "pg";
import type { Cell, Client, OpenSuite, Suite } from "../suite.ts";

const MAX = 10;
const ROWS = 100_000;
const CONCURRENCIES = [1, 8, 64];
const REFERENCE = "pg.Pool";

/** One statement, with what makes the number of its result. Throws when the answer is not the one that was asked for. */
interface Work {
  readonly name: string;
  readonly isRead: boolean;
  run(query: Query): Promise<number>;
}

/** What all clients have in common. */
type Query = (text: string, values?: unknown[]) => Promise<{ rows: Answer[]; rowCount: number | null }>;

/** A row of any of the works; each reads the columns that it has asked for. */
interface Answer {
  readonly one: number;
  readonly id: number;
  readonly balance: number;
}

const anyId = (): number => 1 + Math.floor(Math.random() * ROWS);

const WORKS: readonly Work[] = [
  {
    name: "SELECT 1",
    isRead: true,
    run: async (query) => (await query("SELECT 1 AS one")).rows[0]?.one ?? Number.NaN,
  },
  {
    name: "select by primary key",
    isRead: true,
    async run(query) {
      const id = anyId();
      const { rows } = await query("SELECT id, balance FROM account WHERE id = $1", [id]);
      if (rows[0]?.id !== id) throw new Error(`asked for account ${id}, got ${rows[0]?.id}`);
      return rows[0].balance;
    },
  },
  {
    name: "update of one row",
    isRead: false,
    async run(query) {
      const { rowCount } = await query("UPDATE account SET balance = balance + 1 WHERE id = $1", [anyId()]);
      if (rowCount !== 1) throw new Error(`updated ${rowCount} rows, expected 1`);
      return rowCount;
    },
  },
];

async function fill(pool: pg.Pool): Promise<void> {
  // room on each page, so that updates stay there and the table does not grow
  await pool.query("CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL) WITH (fillfactor = 50)");
  await pool.query("INSERT INTO account SELECT id, 0 FROM generate_series(1, $1::int) AS id", [ROWS]);
  await pool.query("VACUUM ANALYZE account");
}

function openMirrorpool(cluster: LabCluster, readFrom: "primary" | "mirrors"): FailoverPool {
  return createPool({ driver: postgres(), nodes: cluster.urls, pool: { max: MAX }, routing: { readFrom } });
}

async function open(): Promise<OpenSuite> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await createCluster({ mirrors: 1, proxies: false, settings: { autovacuum: "off" } }));
  const plain = stack.adopt(new pg.Pool({ connectionString: cluster.primary().url, max: MAX }), (pool) => pool.end());
  await fill(plain);
  await cluster.caughtUp();
  const fromPrimary = stack.use(openMirrorpool(cluster, "primary"));
  const fromMirrors = stack.use(openMirrorpool(cluster, "mirrors"));
  await fromPrimary.start();
  await fromMirrors.start();

  const clients = (work: Work): Client[] => {
    const client = (name: string, query: Query): Client => ({ name, operation: () => work.run(query) });
    return [
      client("mirrorpool", (text, values) => fromPrimary.query(text, values)),
      ...(work.isRead ? [client("mirrorpool, mirrors", (text, values) => fromMirrors.query(text, values))] : []),
      client(REFERENCE, (text, values) => plain.query<Answer>(text, values)),
    ];
  };
  const cells: Cell[] = WORKS.flatMap((work) =>
    CONCURRENCIES.map((concurrency) => ({
      work: work.name,
      concurrency,
      clients: clients(work),
      reference: REFERENCE,
    })),
  );
  const opened = stack.move();
  return { cells, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** What a statement costs end to end, on a real PostgreSQL on this machine. */
export const query: Suite = {
  name: "query",
  title: `statements on a PostgreSQL of this machine, ${MAX} connections each`,
  pace: "steady",
  targets: [{ client: "mirrorpool", ratio: 0.95 }],
  open,
};
