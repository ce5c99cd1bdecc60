import mysql from "mysql2/promise";
import { MAX } from "../failover/contestants.ts";
import { openMariadbCluster } from "../peers/mariadb.ts";
import { openMysql2, openMysql2Cluster, toAnswer } from "../peers/mysql2.ts";
import type { System } from "./system.ts";

/** `mysql2`'s pool does not follow a primary: its address is moved for it, as a load balancer would. */
export const failoverOnMysql: System["failover"] = {
  tables: [
    "CREATE TABLE event (token varchar(100) PRIMARY KEY, server int NOT NULL DEFAULT 0)",
    "CREATE TRIGGER taken BEFORE INSERT ON event FOR EACH ROW SET NEW.server = @@port",
    "CREATE TABLE promoted (id int AUTO_INCREMENT PRIMARY KEY)",
  ],
  writePromoted: "INSERT INTO promoted VALUES ()",
  async connect(url) {
    const connection = await mysql.createConnection(url);
    connection.on("error", () => {});
    return {
      query: <Row>(text: string, values?: unknown[]) => connection.query(text, values).then(toAnswer<Row>),
      [Symbol.asyncDispose]: async () => connection.destroy(),
    };
  },
  peers: [
    {
      name: "mysql2 pool, its address moved",
      open: async ({ virtualUrl }) => openMysql2({ urls: [virtualUrl], max: MAX }),
    },
    { name: "mysql2 PoolCluster, all addresses", open: async ({ urls }) => openMysql2Cluster({ urls, max: MAX }) },
    { name: "mariadb PoolCluster, all addresses", open: async ({ urls }) => openMariadbCluster({ urls, max: MAX }) },
  ],
};
