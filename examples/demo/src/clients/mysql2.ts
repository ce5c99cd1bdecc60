import mysql from "mysql2/promise";
import type { Shop } from "../shop.ts";

/**
 * The application on plain `mysql2`, as most are written: one address, that always leads to the present primary (a load
 * balancer, or a name that is moved), and the library's defaults.
 */
export function openMysql2Shop(url: string): Shop {
  const pool = mysql.createPool({ uri: url, connectionLimit: 10 });
  const insert = "INSERT INTO orders (token, product) VALUES (?, ?)";
  const select = "SELECT token, product FROM orders WHERE token = ?";
  return {
    place: ({ token, product }) => pool.execute(insert, [token, product]),
    async find(token) {
      const [rows] = await pool.execute<mysql.RowDataPacket[]>(select, [token]);
      return rows[0];
    },
    async sell({ token, product }) {
      const connection = await pool.getConnection();
      try {
        await connection.beginTransaction();
        await connection.execute("UPDATE stock SET sold = sold + 1 WHERE product = ?", [product]);
        await connection.execute(insert, [token, product]);
        await connection.commit();
      } catch (error) {
        await connection.rollback().catch(() => {});
        throw error;
      } finally {
        connection.release();
      }
    },
    close: () => pool.end(),
  };
}
