import { Pool } from "@mirrorpool/pg";
import pg from "pg";
import type { Application, Order, Orm } from "./orm.ts";
import { MAX } from "./orm.ts";

function application(pool: pg.Pool): Application {
  return {
    find: async (id) => (await pool.query<Order>("SELECT id, item FROM orders WHERE id = $1", [id])).rows[0],
    update: async (id, item) =>
      (await pool.query("UPDATE orders SET item = $1 WHERE id = $2", [item, id])).rowCount ?? Number.NaN,
    close: () => pool.end(),
  };
}

/** No ORM: the drop-in, as all those get it that take a pool of `pg`. */
export const pgPool: Orm = {
  name: "pg.Pool",
  plain: (url) => application(new pg.Pool({ connectionString: url, max: MAX })),
  mirrored: (mirrorpool) => application(new Pool({ max: MAX, mirrorpool })),
};
