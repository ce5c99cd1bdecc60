import type { FailoverPool } from "@mirrorpool/core";
import type { Shop } from "../shop.ts";

/**
 * The application on mirrorpool itself.
 * @param sign `$` where parameters are `$1` and `$2`, else what each of them is
 */
export function openMirrorpoolShop(pool: FailoverPool, sign: "$" | "?"): Shop {
  const text = (sql: string): string => (sign === "$" ? sql : sql.replaceAll(/\$\d/g, sign));
  const insert = text("INSERT INTO orders (token, product) VALUES ($1, $2)");
  const select = text("SELECT token, product FROM orders WHERE token = $1");
  const count = text("UPDATE stock SET sold = sold + 1 WHERE product = $1");
  return {
    place: ({ token, product }) => pool.query(insert, [token, product]),
    async find(token) {
      const { rows } = await pool.query(select, [token]);
      return rows[0];
    },
    sell: ({ token, product }) =>
      pool.transaction(
        async (tx) => {
          await tx.query(count, [product]);
          await tx.query(insert, [token, product]);
        },
        { retries: 5 },
      ),
    close: async () => {},
  };
}
