import pg from "pg";
import type { Client } from "./client.ts";

/**
 * The application on plain `pg.Pool`, as most are written: one address, that always leads to the present primary (a load
 * balancer, or a name that is moved), and the library's defaults.
 */
export function createPgClient(url: string): Client {
  const pool = new pg.Pool({ connectionString: url, max: 10 });
  pool.on("error", ignore); // as its documentation asks: else a lost idle connection ends the process
  return {
    query: (text, values) => pool.query(text, values && [...values]),
    async transaction(work) {
      const client = await pool.connect();
      // as its documentation asks: else a connection lost while it is checked out ends the process
      client.on("error", ignore);
      let failure: Error | undefined;
      try {
        await client.query("BEGIN");
        const result = await work((text, values) => client.query(text, values && [...values]));
        await client.query("COMMIT");
        return result;
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error));
        await client.query("ROLLBACK").catch(() => {});
        throw error;
      } finally {
        client.off("error", ignore);
        client.release(failure);
      }
    },
    switchover: (_, promote) => promote(),
    close: () => pool.end(),
  };
}

const ignore = (): void => {};
