import type { FailoverPool } from "@mirrorpool/core";
import type { Shop } from "../shop.ts";

/** The application on mirrorpool itself. */
export function openMirrorpoolShop(pool: FailoverPool): Shop {
  return {
    place: ({ token, product }) => pool.query("INSERT INTO orders (token, product) VALUES ($1, $2)", [token, product]),
    async find(token) {
      const { rows } = await pool.query("SELECT token, product FROM orders WHERE token = $1", [token]);
      return rows[0];
    },
    sell: ({ token, product }) =>
      pool.transaction(
        async (tx) => {
          await tx.query("UPDATE stock SET sold = sold + 1 WHERE product = $1", [product]);
          await tx.query("INSERT INTO orders (token, product) VALUES ($1, $2)", [token, product]);
        },
        { retries: 5 },
      ),
    close: async () => {},
  };
}
