import pg from "pg";
import type { Shop } from "../shop.ts";

/**
 * The application on plain `pg.Pool`, as most are written: one address, that always leads to the present primary (a load
 * balancer, or a name that is moved), and the library's defaults.
 */
export function openPgShop(url: string, schema: string): Shop {
  const pool = new pg.Pool({ connectionString: url, max: 10, options: `-c search_path=${schema}` });
  pool.on("error", ignore); // as its documentation asks: else a lost idle connection ends the process
  return {
    place: ({ token, product }) => pool.query("INSERT INTO orders (token, product) VALUES ($1, $2)", [token, product]),
    async find(token) {
      const { rows } = await pool.query("SELECT token, product FROM orders WHERE token = $1", [token]);
      return rows[0];
    },
    async sell({ token, product }) {
      const client = await pool.connect();
      // as its documentation asks: else a connection lost while it is checked out ends the process
      client.on("error", ignore);
      let failure: Error | undefined;
      try {
        await client.query("BEGIN");
        await client.query("UPDATE stock SET sold = sold + 1 WHERE product = $1", [product]);
        await client.query("INSERT INTO orders (token, product) VALUES ($1, $2)", [token, product]);
        await client.query("COMMIT");
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error));
        await client.query("ROLLBACK").catch(() => {});
        throw error;
      } finally {
        client.off("error", ignore);
        client.release(failure);
      }
    },
    close: () => pool.end(),
  };
}

const ignore = (): void => {};
