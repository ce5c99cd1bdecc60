import type { Client } from "./client.ts";
import type { History } from "./history.ts";

/** `server` is filled by the server that takes the write: so it is known afterwards who took it. */
export const SCHEMA = `
CREATE TABLE stock (product int PRIMARY KEY, sold bigint NOT NULL);
INSERT INTO stock SELECT product, 0 FROM generate_series(0, 99) AS product;
CREATE TABLE orders (
  id bigserial PRIMARY KEY, token text NOT NULL, product int NOT NULL,
  server int NOT NULL DEFAULT inet_server_port()
);
CREATE INDEX ON orders (token);`;

const RETRY_PAUSE_MS = 10;

export interface Workload {
  /** Workers start no more operations; resolves when those under way have ended, or after the limit. */
  stop(limitMs: number): Promise<void>;
}

/** Order taking: a short write, its read-back, and a transaction, over and over. */
export function startWorkload(client: Client, history: History, workers: number): Workload {
  let isStopped = false;
  const work = async (worker: number): Promise<void> => {
    for (let round = 0; !isStopped; round += 1) {
      const product = (worker * 7 + round) % 100;
      const order = `${worker}-${round}-order`;
      const isPlaced = await history.record(order, "write", () =>
        client.query("INSERT INTO orders (token, product) VALUES ($1, $2)", [order, product]),
      );
      if (isPlaced) await history.record(order, "read-back", () => readBack(client, order));
      const sale = `${worker}-${round}-sale`;
      const isSold = await history.record(sale, "transaction", () => sell(client, sale, product));
      // an application that fails in a tight loop would only measure how fast it fails
      if (!isPlaced || !isSold) await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS));
    }
  };
  const all = Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)));
  return {
    async stop(limitMs) {
      isStopped = true;
      let timer: NodeJS.Timeout | undefined;
      const limit = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, limitMs);
      });
      await Promise.race([all, limit]);
      clearTimeout(timer);
    },
  };
}

class OrderMissing extends Error {
  override readonly name = "OrderMissing";
}

async function readBack(client: Client, token: string): Promise<void> {
  const { rows } = await client.query("SELECT id, product FROM orders WHERE token = $1", [token]);
  if (rows.length === 0) throw new OrderMissing(`order ${token} was acknowledged and is not there`);
}

function sell(client: Client, token: string, product: number): Promise<unknown> {
  return client.transaction(async (query) => {
    await query("UPDATE stock SET sold = sold + 1 WHERE product = $1", [product]);
    await query("INSERT INTO orders (token, product) VALUES ($1, $2)", [token, product]);
  });
}
