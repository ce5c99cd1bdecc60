import type { History } from "./history.ts";
import type { Order, Shop } from "./shop.ts";

const RETRY_PAUSE_MS = 10;

export interface Workload {
  /** Workers start no more operations; resolves when those under way have ended, or after the limit. */
  stop(limitMs: number): Promise<void>;
}

/** Order taking: a short write, its read-back, and a transaction, over and over. */
export function startWorkload(shop: Shop, history: History, workers: number): Workload {
  let isStopped = false;
  const work = async (worker: number): Promise<void> => {
    for (let round = 0; !isStopped; round += 1) {
      const product = (worker * 7 + round) % 100;
      const order: Order = { token: `${worker}-${round}-order`, product };
      const isPlaced = await history.record(order.token, "write", () => shop.place(order));
      if (isPlaced) await history.record(order.token, "read-back", () => readBack(shop, order));
      const sale: Order = { token: `${worker}-${round}-sale`, product };
      const isSold = await history.record(sale.token, "transaction", () => shop.sell(sale));
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

async function readBack(shop: Shop, { token }: Order): Promise<void> {
  const found = await shop.find(token);
  if (found === undefined || found === null) throw new Error("an order was acknowledged and is not there");
}
