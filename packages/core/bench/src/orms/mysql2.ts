import dropIn from "@mirrorpool/mysql2/drop-in/promise";
import mysql from "mysql2/promise";
import type { Application, Orm } from "./orm.ts";
import { MAX } from "./orm.ts";

function application(pool: mysql.Pool): Application {
  return {
    find: async (id) => {
      const [rows] = await pool.query<(mysql.RowDataPacket & { id: number; item: string })[]>(
        "SELECT id, item FROM orders WHERE id = ?",
        [id],
      );
      return rows[0];
    },
    update: async (id, item) => {
      const [header] = await pool.query<mysql.ResultSetHeader>("UPDATE orders SET item = ? WHERE id = ?", [item, id]);
      return header.affectedRows;
    },
    close: () => pool.end(),
  };
}

/** No ORM: the drop-in, as all those get it that take a pool of `mysql2`. */
export const mysql2Pool: Orm = {
  name: "mysql2 pool",
  plain: (uri) => application(mysql.createPool({ uri, connectionLimit: MAX })),
  mirrored: (mirrorpool) => application(dropIn.createPool({ connectionLimit: MAX, mirrorpool })),
};
